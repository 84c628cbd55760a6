
-- ---- Starts ----
--
-- The second part of schedd's functions (store_redis_v2.lua): claims, each with the one open run that it starts. When
-- much is due at once nearly all is of this kind, so they come in columns that are handed on to Redis as they are: ids,
-- " last revision" that the state is expected to end with, what it becomes, numbers of the runs, their rows. No job
-- stands there twice, and no entry behind them is about a claim or a run of theirs. Where a claim does not hold they are
-- not judged here: the answer is "again", and the same comes once more as entries.

local START_CHUNK = CHUNK / 2 -- of them two values each are put at a time

local endings = {} -- made when they are needed: while a library is loaded it has no strings to work with

-- The texts of so many numbers from first on.
local function start_places(first, count)
  local places, head = {}, nil
  for i = 1, count do
    local number = first + i - 1
    local ending = number % 1000
    if number < 1000 then
      places[i] = digits(number)
    else
      if not head or ending == 0 then head = digits((number - ending) / 1000) end
      endings[ending] = endings[ending] or string.format('%03d', ending)
      places[i] = head .. endings[ending]
    end
  end
  return places
end

-- The numbers by which runs know these jobs, those that had none with new ones.
local function start_keys(c, ids)
  local keys = redis.call('HMGET', c.p .. 'keys', unpack(ids))
  for i = 1, #ids do
    if not keys[i] then
      c.keys[ids[i]] = false
      keys[i] = key_of(c, ids[i], true)
    end
  end
  return keys
end

-- Looks at those from first to last; count is that of a column, base stands before the first column.
local function start_some(c, args, base, count, first, last)
  local ids = {unpack(args, base + first, base + last)}
  local texts, keys = redis.call('HMGET', c.p .. 'state', unpack(ids)), start_keys(c, ids)
  local fields, states, sub = {}, {}, string.sub
  local expected, news, numbers = base + count + first - 1, base + 2 * count + first - 1, base + 3 * count + first - 1
  for i = 1, #ids do
    local text, ending = texts[i], args[expected + i]
    if not text or sub(text, -#ending) ~= ending then return false end
    fields[i] = keys[i] .. '/' .. args[numbers + i]
    states[2 * i - 1] = ids[i]
    states[2 * i] = args[news + i]
  end
  c.starts[#c.starts + 1] = {keys = keys, fields = fields, states = states, numbers = numbers,
    rows = base + 4 * count + first - 1}
  return true
end

-- How many they are and their columns; answers where what follows begins, nil: again.
function starts.judge(c, args, at)
  local count = tonumber(args[at])
  for first = 1, count, START_CHUNK do
    if not start_some(c, args, at, count, first, math.min(first + START_CHUNK - 1, count)) then return nil end
  end
  return at + 5 * count + 1
end

local function start_write(c, args, some)
  local p, fields, rows, index = c.p, some.fields, {}, {}
  local places = start_places(redis.call('HINCRBY', p .. 'meta', 'serial', #fields) - #fields + 1, #fields)
  for i = 1, #fields do
    local place = places[i]
    rows[2 * i - 1] = fields[i]
    rows[2 * i] = place .. ' - ' .. args[some.rows + i]
    index[2 * i - 1] = place
    index[2 * i] = fields[i]
  end
  put('HSET', p .. 'state', some.states)
  put('HSET', p .. 'runs', rows)
  put('ZADD', p .. 'log', index)
  put('ZADD', p .. 'open', index)
  local of = p .. 'of:'
  for i = 1, #fields do
    local number = args[some.numbers + i]
    redis.call('ZADD', of .. some.keys[i], number, number)
  end
end

function starts.write(c, args)
  for _, some in ipairs(c.starts) do start_write(c, args, some) end
end
