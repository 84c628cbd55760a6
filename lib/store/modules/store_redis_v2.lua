#!lua name=schedd_v2
-- SPDX-License-Identifier: MIT
--
-- What a store of schedd does on its Redis server. Redis undoes nothing: so each function first
-- works everything out in tables of its own, looks whether all of it may be, and only then writes.
-- Times, definitions and rows are strings that nobody looks into here; numbers are those of runs and
-- serials, which a Lua number holds exactly.
--
-- keys[1] is what all names begin with. Behind it:
--   meta     hash: schema; the last number of a job (key) and of a run (serial) that were given
--   owner    hash: identity, life, holder, since, epoch, session, batch
--   lease    string that goes when the owner does
--   jobs     hash: id -> definition
--   state    hash: id -> "next_fire next_run_time run_count last_run revision"; of a removed job the last run alone
--   keys     hash: id -> number of the job, by which runs and changes know it
--   ids      hash: the other way round
--   runs     hash: KEY/N -> "serial done row"; results: KEY/N -> what a call returned
--   log      zset: KEY/N by serial; open: those of them that have not ended
--   done     zset: "when KEY/N", in the order of the text
--   of:KEY   zset: the numbers of one job's runs
--   values   hash: numbers and texts beside the jobs
--   changes  stream: who did what
--
-- What several daemons have beside that which share it stands in store_redis_v2_share.lua, what throws away old runs in
-- store_redis_v2_retain.lua, how claims that are as usual are taken in columns in store_redis_v2_starts.lua: parts of
-- this library, behind this one.
--
-- Another version of this file has another name: a server may serve two versions of schedd at once.

local SCHEMA = '2'
local share = {} -- functions of store_redis_v2_share.lua

local CHUNK = 4000 -- values at a time: unpack() takes less than 8,000
local starts = {} -- functions of the part that is about them

local function put(command, key, list)
  for from = 1, #list, CHUNK do
    redis.call(command, key, unpack(list, from, math.min(from + CHUNK - 1, #list)))
  end
end

local function digits(number)
  return string.format('%.0f', number)
end

-- ---- What is known of the store while a group is worked out ----

local function state_read(text)
  if not text then return {last = '0'} end
  local times, last, revision = string.match(text, '^(%S+ %S+ %S+) (%S+) (%S+)$')
  if not times then return {last = text} end
  return {there = true, times = times, last = last, revision = revision}
end

local function state_of(c, id)
  local state = c.states[id]
  if not state then
    state = state_read(redis.call('HGET', c.p .. 'state', id))
    c.states[id] = state
  end
  return state
end

-- What the group will ask for, with few commands: args[at] ids follow.
local function look_up(c, hash, args, at, take)
  local last = at + tonumber(args[at])
  for from = at + 1, last, CHUNK do
    local to = math.min(from + CHUNK - 1, last)
    local texts = redis.call('HMGET', c.p .. hash, unpack(args, from, to))
    for i = from, to do take(args[i], texts[i - from + 1]) end
  end
  return last + 1
end

local function set_state(c, id, state)
  c.states[id] = state
  c.dirty[id] = true
end

-- The number by which runs know a job; false: it has none yet.
local function key_of(c, id, make)
  local key = c.keys[id]
  if key == nil then
    key = redis.call('HGET', c.p .. 'keys', id)
    c.keys[id] = key
  end
  if not key and make then
    c.key = (c.key or tonumber(redis.call('HGET', c.p .. 'meta', 'key') or '0')) + 1
    key = digits(c.key)
    c.keys[id] = key
    c.renamed[id] = true
    c.ids[key] = id
  end
  return key
end

-- What is stored of it is looked up when all are known.
local function run_of(c, key, number)
  local field = key .. '/' .. number
  local run = c.runs[field]
  if not run then
    run = {field = field, key = key, number = number, gone = true}
    c.runs[field] = run
    c.order[#c.order + 1] = run
  end
  return run
end

-- The highest number of a job's runs; 0: it has none.
local function last_number(c, key)
  local most = c.most[key] or 0
  if key and not c.purged and not c.emptied[key] then
    local top = redis.call('ZREVRANGE', c.p .. 'of:' .. key, 0, 0)[1]
    if top and tonumber(top) > most then most = tonumber(top) end
  end
  return most
end

-- ---- Entries: each answers where the next begins, and what is wrong with it ----

local verbs = {}

-- id definition times last revision slot; times are next_fire, next_run_time and run_count in one text
local function put_job(c, args, at, last)
  local id = args[at]
  c.definitions[id] = args[at + 1]
  c.slots[id] = args[at + 5]
  set_state(c, id, {there = true, times = args[at + 2], last = last, revision = args[at + 4]})
  return at + 6
end

function verbs.J(c, args, at)
  return put_job(c, args, at, args[at + 3])
end

function verbs.A(c, args, at, answers)
  local id = args[at]
  -- Another may have added it meanwhile.
  if c.node and state_of(c, id).there then return at, {'there', id} end
  local last = math.max(tonumber(args[at + 3]), tonumber(state_of(c, id).last),
    last_number(c, key_of(c, id)))
  answers[#answers + 1] = digits(last)
  return put_job(c, args, at, digits(last))
end

-- id revision
function verbs.E(c, args, at)
  local state = state_of(c, args[at])
  if not state.there then return at, {'removed', args[at]} end
  if state.revision ~= args[at + 1] then return at, {'changed', args[at]} end
  return at + 2
end

-- id expected times last must revision; revision 0: any
function verbs.C(c, args, at, answers)
  local id = args[at]
  local state = state_of(c, id)
  c.claim = c.claim + 1
  if state.there and state.last == args[at + 1] and (args[at + 5] == '0' or state.revision == args[at + 5]) then
    set_state(c, id, {there = true, times = args[at + 2], last = args[at + 3], revision = state.revision})
    answers[#answers + 1] = '1'
  elseif args[at + 4] == '1' then
    return at, {'lost', id}
  else
    c.lost[c.claim] = true
    answers[#answers + 1] = '0'
  end
  return at + 6
end

-- id last
function verbs.D(c, args, at)
  local id, last = args[at], args[at + 1]
  c.definitions[id] = false
  if last ~= '0' then
    last = digits(math.max(tonumber(last), tonumber(state_of(c, id).last)))
  end
  set_state(c, id, {last = last})
  return at + 2
end

-- claim id number done row result state
function verbs.R(c, args, at)
  if not c.lost[tonumber(args[at])] then
    local key, number = key_of(c, args[at + 1], true), args[at + 2]
    local run = run_of(c, key, number)
    -- One that was purged before it has a new place.
    if run.purged then run.new = true end
    run.gone, run.done, run.row, run.result = false, args[at + 3], args[at + 4], args[at + 5]
    run.state = args[at + 6]
    c.most[key] = math.max(c.most[key] or 0, tonumber(number))
  end
  return at + 7
end

local function purge_job(c, key)
  for _, run in ipairs(c.order) do
    if run.key == key then run.gone, run.purged = true, true end
  end
  if not c.purged and not c.emptied[key] then
    for _, number in ipairs(redis.call('ZRANGE', c.p .. 'of:' .. key, 0, -1)) do
      local run = run_of(c, key, number)
      run.gone, run.purged = true, true
    end
  end
  c.emptied[key] = true
  c.most[key] = 0
end

-- id number; no id: all, no number: all of the job
function verbs.P(c, args, at)
  local id, number = args[at], args[at + 1]
  local key = id ~= '' and key_of(c, id)
  if id == '' then
    c.purged, c.runs, c.order, c.most = true, {}, {}, {}
  elseif key and number == '0' then
    purge_job(c, key)
  elseif key then
    local run = run_of(c, key, number)
    run.gone, run.purged = true, true
  end
  return at + 2
end

-- from to
function verbs.N(c, args, at)
  local from, to = args[at], args[at + 1]
  local key, over = key_of(c, from, true), key_of(c, to)
  local definition = c.definitions[from]
  if last_number(c, over) > 0 then return at, {'runs', to} end
  if definition == nil then definition = redis.call('HGET', c.p .. 'jobs', from) end
  local state = state_of(c, from)
  set_state(c, from, {last = digits(math.max(tonumber(state.last), last_number(c, key)))})
  set_state(c, to, state)
  c.definitions[from], c.definitions[to] = false, definition
  c.keys[from], c.keys[to] = false, key
  c.renamed[from], c.renamed[to] = true, true
  c.slots[to] = c.slots[from] or '-'
  c.ids[key] = to
  if over then c.ids[over] = false end
  return at + 2
end

-- key value
function verbs.V(c, args, at)
  c.values[args[at]] = args[at + 1]
  return at + 2
end

-- key
function verbs.X(c, args, at)
  c.values[args[at]] = false
  return at + 1
end

-- when id json; no id: of none
function verbs.H(c, args, at)
  local key = args[at + 1] ~= '' and key_of(c, args[at + 1], true) or ''
  c.changes[#c.changes + 1] = {args[at], key, args[at + 2]}
  return at + 3
end

-- ---- Writing it down ----

-- Puts what has a text and deletes what has none.
local function write_hash(key, map)
  local set, del = {}, {}
  for field, text in pairs(map) do
    if text then
      set[#set + 1] = field
      set[#set + 1] = text
    else
      del[#del + 1] = field
    end
  end
  put('HSET', key, set)
  put('HDEL', key, del)
end

local function write_jobs(c)
  local states, keys = {}, {}
  for id in pairs(c.dirty) do
    local state = c.states[id]
    if state.there then
      states[id] = state.times .. ' ' .. state.last .. ' ' .. state.revision
    else
      states[id] = state.last ~= '0' and state.last
    end
  end
  for id in pairs(c.renamed) do
    keys[id] = c.keys[id]
  end
  write_hash(c.p .. 'jobs', c.definitions)
  write_hash(c.p .. 'state', states)
  write_hash(c.p .. 'keys', keys)
  write_hash(c.p .. 'ids', c.ids)
  if next(c.definitions) ~= nil then
    redis.call('HSET', c.p .. 'meta', 'jobs', redis.call('HLEN', c.p .. 'jobs'))
  end
  if c.key then redis.call('HSET', c.p .. 'meta', 'key', digits(c.key)) end
end

-- Everything that is known of a run but its row.
local function forget(p, list)
  local fields, dones = {}, {}
  for _, run in ipairs(list) do
    fields[#fields + 1] = run.field
    if run.was and run.was ~= '-' then dones[#dones + 1] = run.was .. ' ' .. run.field end
    redis.call('ZREM', p .. 'of:' .. run.key, run.number)
  end
  put('HDEL', p .. 'runs', fields)
  put('HDEL', p .. 'results', fields)
  put('HDEL', p .. 'outputs', fields)
  put('ZREM', p .. 'log', fields)
  put('ZREM', p .. 'open', fields)
  put('ZREM', p .. 'done', dones)
end

local function write_purge(c)
  for _, key in ipairs(redis.call('HKEYS', c.p .. 'ids')) do
    redis.call('DEL', c.p .. 'of:' .. key)
  end
  redis.call('DEL', c.p .. 'runs', c.p .. 'results', c.p .. 'outputs', c.p .. 'log', c.p .. 'open', c.p .. 'done')
end

local function look_up_runs(c)
  local fields = {tostring(#c.order)}
  if c.purged then return end
  for i, run in ipairs(c.order) do fields[i + 1] = run.field end
  look_up(c, 'runs', fields, 1, function(field, text)
    local run = c.runs[field]
    if text then
      run.stored = true
      run.serial, run.was = string.match(text, '^(%d+) (%S+) ')
      run.on = string.match(text, '"node":"([^"]*)"')
      if run.new then
        run.serial = nil
      elseif c.node then
        share.told_late(run, text)
      end
    end
  end)
end

-- Gives those that are new their places.
local function place_runs(c, kept)
  local new, log = 0, {}
  for _, run in ipairs(kept) do
    if not run.serial then new = new + 1 end
  end
  if new == 0 then return end
  local serial = redis.call('HINCRBY', c.p .. 'meta', 'serial', new) - new
  for _, run in ipairs(kept) do
    if not run.serial then
      serial = serial + 1
      run.serial = digits(serial)
      log[#log + 1] = run.serial
      log[#log + 1] = run.field
      redis.call('ZADD', c.p .. 'of:' .. run.key, run.number, run.number)
    end
  end
  put('ZADD', c.p .. 'log', log)
end

-- One kind of entry after the other, so that few commands are needed.
local function write_rows(p, kept)
  local rows, open, ended, done, undone, results, unresults = {}, {}, {}, {}, {}, {}, {}
  for _, run in ipairs(kept) do
    rows[#rows + 1] = run.field
    -- Where one ran that is lost only the row of before says.
    if run.state == 'lost' and run.on then run.row = string.sub(run.row, 1, -2) .. ',"node":"' .. run.on .. '"}' end
    rows[#rows + 1] = run.serial .. ' ' .. run.done .. ' ' .. run.row
    if run.done == '-' then
      open[#open + 1] = run.serial
      open[#open + 1] = run.field
    else
      done[#done + 1] = '0'
      done[#done + 1] = run.done .. ' ' .. run.field
      if run.was == '-' then ended[#ended + 1] = run.field end
    end
    if run.was and run.was ~= '-' and run.was ~= run.done then undone[#undone + 1] = run.was .. ' ' .. run.field end
    if run.result ~= '' then
      results[#results + 1] = run.field
      results[#results + 1] = run.result
    elseif run.stored then
      unresults[#unresults + 1] = run.field
    end
  end
  put('HSET', p .. 'runs', rows)
  put('HSET', p .. 'results', results)
  put('HDEL', p .. 'results', unresults)
  put('ZADD', p .. 'open', open)
  put('ZREM', p .. 'open', ended)
  put('ZADD', p .. 'done', done)
  put('ZREM', p .. 'done', undone)
end

local function write_runs(c)
  local gone, kept = {}, {}
  look_up_runs(c)
  for _, run in ipairs(c.order) do
    if not run.gone then
      kept[#kept + 1] = run
    elseif run.stored then
      gone[#gone + 1] = run
    end
  end
  if c.purged then write_purge(c) end
  forget(c.p, gone)
  place_runs(c, kept)
  write_rows(c.p, kept)
end

local function write_changes(c)
  for _, change in ipairs(c.changes) do
    redis.call('XADD', c.p .. 'changes', '*', 'at', change[1], 'job', change[2], 'change', change[3])
  end
end

-- ---- The owner ----

local function is_owner(p, epoch, session)
  local owner = redis.call('HMGET', p .. 'owner', 'epoch', 'session')
  return owner[1] == epoch and owner[2] == session
end

local function renew(p, life, lease)
  redis.call('SET', p .. 'lease', life, 'PX', lease)
end

-- What is there of a schema that says nothing of itself.
local function parts_of(p)
  return redis.call('EXISTS', p .. 'owner', p .. 'jobs', p .. 'state', p .. 'keys', p .. 'ids', p .. 'runs',
    p .. 'log', p .. 'open', p .. 'done', p .. 'results', p .. 'values', p .. 'changes')
end

local KINDS = {meta = 'hash', owner = 'hash', lease = 'string', jobs = 'hash', state = 'hash', keys = 'hash',
  ids = 'hash', runs = 'hash', results = 'hash', log = 'zset', open = 'zset', done = 'zset', values = 'hash',
  changes = 'stream', nodes = 'hash', slots = 'hash', feed = 'stream', at = 'hash', ends = 'hash', outputs = 'hash'}

-- What is of another kind is another program's.
local function is_ours(p)
  for name, expected in pairs(KINDS) do
    local kind = redis.call('TYPE', p .. name).ok
    if kind ~= expected and kind ~= 'none' then return false end
  end
  return true
end

local function check(p, known)
  if not is_ours(p) then return {'foreign'} end
  local meta = redis.call('HMGET', p .. 'meta', 'schema', 'jobs')
  if not meta[1] then
    local parts = parts_of(p)
    if parts > 0 then return {'half', digits(parts)} end
    if known ~= '0' then return {'emptied'} end
  elseif meta[1] ~= '1' and meta[1] ~= SCHEMA then
    return {'schema', meta[1]}
  elseif meta[2] and meta[2] ~= '0' and redis.call('EXISTS', p .. 'jobs', p .. 'state', p .. 'owner') < 3 then
    return {'missing', meta[2]}
  end
end

-- Fails where the account lacks the right to any command that a commit may need: half way through
-- one it would be too late.
local function probe(key)
  redis.call('DEL', key)
  redis.call('HSET', key, 'a', '1')
  redis.call('HINCRBY', key, 'a', 1)
  redis.call('HKEYS', key)
  redis.call('HLEN', key)
  redis.call('HDEL', key, 'a')
  redis.call('ZADD', key, '1', 'a')
  redis.call('ZRANGE', key, 0, 0)
  redis.call('ZREVRANGE', key, 0, 0)
  redis.call('ZRANGEBYLEX', key, '-', '+', 'LIMIT', 0, 1)
  redis.call('ZCARD', key)
  redis.call('ZSCORE', key, 'a')
  redis.call('ZREM', key, 'a')
  redis.call('XADD', key, '*', 'a', '1')
  redis.call('DEL', key)
end

-- Another has it for himself.
local function held(p, identity)
  local owner = redis.call('HMGET', p .. 'owner', 'identity', 'holder', 'since')
  if owner[1] and owner[1] ~= identity and redis.call('EXISTS', p .. 'lease') == 1 then
    return {'held', owner[2] or '', owner[3] or ''}
  end
end

-- epoch that is known or 0, identity, life, holder, since, lease, session
local function own(keys, args)
  local p = keys[1]
  local known, identity, life, holder, since, lease, session = unpack(args)
  local wrong = check(p, known) or held(p, identity) or share.in_use(p, identity)
  if wrong then return wrong end
  local owner = redis.call('HMGET', p .. 'owner', 'identity', 'life')
  probe(p .. 'probe')
  redis.call('HSET', p .. 'meta', 'schema', SCHEMA)
  share.end_all(p)
  if owner[2] ~= life then
    redis.call('HINCRBY', p .. 'owner', 'epoch', 1)
    redis.call('HSET', p .. 'owner', 'batch', '0', 'since', since)
  end
  redis.call('HSET', p .. 'owner', 'identity', identity, 'life', life, 'holder', holder, 'session', session)
  renew(p, life, lease)
  return {'ok', redis.call('HGET', p .. 'owner', 'epoch')}
end

-- epoch session life lease
local function beat(keys, args)
  if not is_owner(keys[1], args[1], args[2]) then return {'fenced'} end
  renew(keys[1], args[3], args[4])
  return {'ok'}
end

-- epoch session
local function release(keys, args)
  if is_owner(keys[1], args[1], args[2]) then redis.call('DEL', keys[1] .. 'lease') end
  return {'ok'}
end

-- node or 0, epoch session life lease (0: it is not renewed) batch, starts, how many ids whose state is needed and they, the same of keys, the entries
local function commit(keys, args)
  local p = keys[1]
  local node = args[1] ~= '0' and args[1]
  if node and not share.is_node(p, node, args[2], args[3]) then return {'fenced'} end
  if not node and not is_owner(p, args[2], args[3]) then return {'fenced'} end
  local c = {p = p, node = node, slots = {}, gifts = {}, nodes = {}, feed = {}, outputs = {}, states = {}, dirty = {},
    definitions = {}, keys = {}, renamed = {}, ids = {}, runs = {}, order = {}, most = {}, emptied = {}, lost = {},
    values = {}, changes = {}, claim = 0, starts = {}}
  local answers = {'ok'}
  local at = starts.judge(c, args, 7)
  if not at then return {'again'} end
  at = look_up(c, 'state', args, at, function(id, text) c.states[id] = state_read(text) end)
  at = look_up(c, 'keys', args, at, function(id, text) c.keys[id] = c.keys[id] or text end)
  while at <= #args do
    local wrong
    at, wrong = verbs[args[at]](c, args, at + 1, answers)
    if wrong then return wrong end
  end
  starts.write(c, args)
  write_jobs(c)
  write_runs(c)
  write_changes(c)
  if node then share.judge_notes(c) end
  write_hash(p .. 'values', c.values)
  if node then
    share.write(c, args[6])
  else
    redis.call('HSET', p .. 'owner', 'batch', args[6])
    if args[5] ~= '0' then renew(p, args[4], args[5]) end
  end
  return answers
end

redis.register_function('schedd_v2_own', own)
redis.register_function('schedd_v2_beat', beat)
redis.register_function{function_name = 'schedd_v2_release', callback = release, flags = {'allow-oom'}}
redis.register_function('schedd_v2_commit', commit)
