-- SPDX-License-Identifier: MIT
--
-- The second part of store_redis_v2.lua: what several daemons need that share a store, its nodes. A script is done
-- whole and nothing comes between, so what a lock is elsewhere is a comparison here; the epoch that is compared is what
-- fences a node whose lease was over, never the lease itself, for the server's clock may be set.
--
--   nodes    hash: name -> number
--   node:N   hash: name, epoch, expires, life, identity, session, batch, address, labels, version, started, seen,
--            draining, dead, server, unsettled (what that server lacks is not written again or held yet), and what the
--            last beat said
--   slots    hash: slot -> number of the node that has it
--   in:SLOT  set: ids of the jobs in it, and perhaps more; in:-: those of which it is not known
--   feed     stream "SEQ-0": what was written beside claims; meta: feed, the last number, node, the last node's
--   at       hash: KEY/N -> "node state from" of each run that is open; from: whose it was before a take-over, or 0
--   outputs  hash: KEY/N -> the end of what the run wrote
--   ends     hash: KEY -> "N state" of a job's last run that ended

local SLOTS = 256
local PAGE = 1000 -- jobs at a time: the server serves nobody else meanwhile

-- Microseconds, which a Lua number holds exactly until the year 2255.
local function clock()
  local now = redis.call('TIME')
  return tonumber(now[1]) * 1000000 + tonumber(now[2])
end

local function number(text)
  return tonumber(text or '0')
end

function share.is_node(p, node, epoch, session)
  local known = redis.call('HMGET', p .. 'node:' .. node, 'epoch', 'session')
  return known[1] == epoch and known[2] == session
end

local function feed(p, node, lines)
  if #lines == 0 then return end
  local seq = redis.call('HINCRBY', p .. 'meta', 'feed', #lines) - #lines
  local now = digits(clock())
  for i, line in ipairs(lines) do
    redis.call('XADD', p .. 'feed', digits(seq + i) .. '-0', 'at', now, 'origin', node, 'target', line[3], 'kind', line[1],
      'id', line[2], 'body', line[4])
  end
end

-- A run that was lost with its node stays so: how it ended, as that node knew it, is noted. text: its row of before.
function share.told_late(run, text)
  if run.gone or run.state == 'lost' or run.was == '-' or not string.find(text, '{"state":"lost"', 1, true) then return end
  local late = 'this node lost its lease; told late: ' .. run.state
  local rest = string.match(run.row, '^{"state":"%a+"(.*)}$')
  rest = string.gsub(rest, ',"node":"[^"]*"$', '')
  local before, after = string.match(rest, '^(.-,"reason":")(.*)$')
  if before then
    rest = before .. late .. ', ' .. after
  else
    rest = rest .. ',"reason":"' .. late .. '"'
  end
  run.state, run.row = 'lost', '{"state":"lost"' .. rest .. '}'
end

-- What follows such a run has begun: nothing more follows how it ended.
function share.judge_notes(c)
  for name, text in pairs(c.values) do
    local id, run = string.match(name, '^after%.[^/]*/([^/]*)/(%d+)$')
    local key = text and text ~= 'tlost' and id and key_of(c, id)
    local row = key and redis.call('HGET', c.p .. 'runs', key .. '/' .. run)
    if row and string.find(row, '{"state":"lost"', 1, true) then c.values[name] = nil end
  end
end

local SLOT_LINE = {'slot', '', '0', ''}

-- ---- Entries of a commit ----

-- id revision last next_fire: it is as the changer knows it, and no claim came between
function verbs.S(c, args, at)
  local id = args[at]
  local state = state_of(c, id)
  if not state.there then return at, {'removed', id} end
  if state.revision ~= args[at + 1] or state.last ~= args[at + 2] or
      string.match(state.times, '^%S+') ~= args[at + 3] then
    return at, {'changed', id}
  end
  return at + 4
end

-- id: none of its runs is open
function verbs.I(c, args, at)
  local id = args[at]
  local key = key_of(c, id)
  for _, run in ipairs(c.order) do
    if run.key == key and not run.gone and run.done == '-' then return at, {'runs on', id} end
  end
  for _, field in ipairs(key and redis.call('HKEYS', c.p .. 'at') or {}) do
    local here = c.runs[field]
    if not here and string.match(field, '^(.*)/') == key then return at, {'runs on', id} end
  end
  return at + 1
end

-- id number bytes: of a run that has its row by then
function verbs.O(c, args, at)
  local key = key_of(c, args[at])
  if key then c.outputs[key .. '/' .. args[at + 1]] = args[at + 2] end
  return at + 3
end

-- key: it is there to be removed, or another was faster
function verbs.T(c, args, at)
  local key = args[at]
  local text = c.values[key]
  if text == nil then text = redis.call('HGET', c.p .. 'values', key) end
  if not text then return at, {'taken', key} end
  c.values[key] = false
  return at + 1
end

-- kind id target body: a line of the feed
function verbs.F(c, args, at)
  c.feed[#c.feed + 1] = {args[at], args[at + 1], args[at + 2], args[at + 3]}
  return at + 4
end

-- slot node: where it is ours or nobody's, and never to a node that is dead
function verbs.G(c, args, at)
  local slot, to = args[at], args[at + 1]
  local owner = redis.call('HGET', c.p .. 'slots', slot)
  local there = to == '0' or redis.call('HMGET', c.p .. 'node:' .. to, 'epoch', 'dead')
  if (not owner or owner == c.node) and (to == '0' or (there[1] and not there[2])) then
    c.gifts[slot] = to ~= '0' and to
  end
  c.given = true
  return at + 2
end

local node_verbs = {
  drain = function() return {draining = '1'} end,
  resume = function() return {draining = '0'} end,
  forget = function() return {gone = true} end,
  settle = function() return {unsettled = '0'} end,
  leave = function(epoch)
    return {dead = digits(clock()), expires = '0', epoch = digits(number(epoch) + 1)}
  end,
}

-- name verb
function verbs.M(c, args, at)
  local name, verb = args[at], args[at + 1]
  local node = redis.call('HGET', c.p .. 'nodes', name)
  if not node then return at, {'node', name} end
  local known = redis.call('HMGET', c.p .. 'node:' .. node, 'epoch', 'dead')
  if verb == 'forget' and not known[2] then return at, {'lives', name} end
  c.nodes[#c.nodes + 1] = {number = node, name = name, set = node_verbs[verb](known[1])}
  return at + 2
end

-- ---- Writing it down ----

local NOT_RUN = {missed = true, skipped = true, cancelled = true}

local function write_at(c)
  local open, over = {}, {}
  if c.purged then redis.call('DEL', c.p .. 'at') end
  for _, run in ipairs(c.order) do
    if not run.gone and run.done == '-' then
      open[#open + 1] = run.field
      open[#open + 1] = c.node .. ' ' .. run.state .. ' 0'
    else
      over[#over + 1] = run.field
    end
    if not run.gone and run.done ~= '-' and not NOT_RUN[run.state] then
      local last = redis.call('HGET', c.p .. 'ends', run.key)
      if not last or number(string.match(last, '^%d+')) <= number(run.number) then
        redis.call('HSET', c.p .. 'ends', run.key, run.number .. ' ' .. run.state)
      end
    end
  end
  put('HSET', c.p .. 'at', open)
  put('HDEL', c.p .. 'at', over)
end

local function write_nodes(c)
  for _, node in ipairs(c.nodes) do
    local key = c.p .. 'node:' .. node.number
    if node.set.gone then
      redis.call('DEL', key)
      redis.call('HDEL', c.p .. 'nodes', node.name)
    else
      for field, text in pairs(node.set) do redis.call('HSET', key, field, text) end
    end
  end
end

function share.write(c, batch)
  for field, bytes in pairs(c.outputs) do
    if redis.call('HEXISTS', c.p .. 'runs', field) == 1 then redis.call('HSET', c.p .. 'outputs', field, bytes) end
  end
  for id, slot in pairs(c.slots) do
    redis.call('SADD', c.p .. 'in:' .. slot, id)
    if slot ~= '-' then redis.call('SREM', c.p .. 'in:-', id) end
  end
  write_at(c)
  write_hash(c.p .. 'slots', c.gifts)
  redis.call('HSET', c.p .. 'node:' .. c.node, 'batch', batch)
  write_nodes(c)
  if c.given then c.feed[#c.feed + 1] = SLOT_LINE end
  feed(c.p, c.node, c.feed)
end

-- ---- Who has it ----

local function each_node(p)
  local names, list = redis.call('HGETALL', p .. 'nodes'), {}
  for i = 1, #names, 2 do list[#list + 1] = {name = names[i], number = names[i + 1], key = p .. 'node:' .. names[i + 1]} end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

-- Nodes that live share it: none has it alone. Those of one daemon that shares it no more are over.
function share.in_use(p, identity)
  if redis.call('EXISTS', p .. 'nodes') == 0 then return end
  local now = clock()
  for _, node in ipairs(each_node(p)) do
    local known = redis.call('HMGET', node.key, 'dead', 'expires', 'identity', 'address', 'started')
    if not known[1] and number(known[2]) > now and known[3] ~= identity then
      return {'held', known[4] .. ', which shares it with others,', known[5]}
    end
  end
end

-- What the nodes had is the owner's.
function share.end_all(p)
  if redis.call('EXISTS', p .. 'nodes') == 0 then return end
  local now = digits(clock())
  for _, node in ipairs(each_node(p)) do
    redis.call('HINCRBY', node.key, 'epoch', 1)
    redis.call('HSET', node.key, 'expires', '0', 'dead', now)
  end
  redis.call('DEL', p .. 'slots', p .. 'at', p .. 'in:-')
  for slot = 0, SLOTS - 1 do redis.call('DEL', p .. 'in:' .. slot) end
  redis.call('HDEL', p .. 'meta', 'slotted')
end

-- Who had it alone writes no more. What is open and whose slot is not known is found out once.
local function begin(p, node, holder)
  local owner = redis.call('HMGET', p .. 'owner', 'life')
  if owner[1] ~= 'shared' then
    redis.call('HINCRBY', p .. 'owner', 'epoch', 1)
    redis.call('HSET', p .. 'owner', 'identity', '', 'life', 'shared', 'holder', 'several schedd that share it', 'since',
      digits(clock()), 'session', '', 'batch', '0')
    redis.call('DEL', p .. 'lease')
  end
  if redis.call('HGET', p .. 'meta', 'slotted') then return end
  put('SADD', p .. 'in:-', redis.call('HKEYS', p .. 'jobs'))
  for _, field in ipairs(redis.call('ZRANGE', p .. 'open', 0, -1)) do
    local state = string.match(redis.call('HGET', p .. 'runs', field) or '', '{"state":"(%a+)"')
    redis.call('HSET', p .. 'at', field, node .. ' ' .. (state or 'queued') .. ' 0')
  end
  redis.call('HSET', p .. 'meta', 'slotted', '1')
end

-- Every command that nodes need, as probe() of the first part.
local function probe_nodes(key)
  probe(key)
  clock()
  redis.call('SADD', key, 'a')
  redis.call('SMEMBERS', key)
  redis.call('SREM', key, 'a')
  redis.call('DEL', key)
  redis.call('HEXISTS', key, 'a')
  redis.call('XADD', key, '*', 'a', '1')
  redis.call('XRANGE', key, '-', '+')
  redis.call('XTRIM', key, 'MINID', '1')
  redis.call('DEL', key)
end

-- meta: server is the one that was joined last. Of one that has all, whoever was with the one before is with it. Answers
-- with which one a node is that was with that.
local function move(p, server, whole, with)
  local last = redis.call('HGET', p .. 'meta', 'server')
  if server == '' or server == last then return with end
  redis.call('HSET', p .. 'meta', 'server', server)
  if whole ~= '1' then return with end
  for _, node in ipairs(each_node(p)) do
    if redis.call('HGET', node.key, 'server') == last then redis.call('HSET', node.key, 'server', server) end
  end
  return with == last and server or with
end

-- Leases are older there than they were: whoever lives has one more to come in.
local function extend(p, own, at)
  for _, node in ipairs(each_node(p)) do
    local known = redis.call('HMGET', node.key, 'dead', 'expires')
    if node.name ~= own and not known[1] and number(known[2]) < at then redis.call('HSET', node.key, 'expires', digits(at)) end
  end
end

-- epoch and line of the feed that are known or 0, name, identity, life, address, labels, version, lease, session, 1
-- where all has to be loaded anew, under another epoch, the batches that were
-- answered as stored last, or 0, and sent last, what it speaks, the server's number, 1 where one of another number has
-- all that the one before answered, 1 where this life has joined before
local function join(keys, args)
  local p = keys[1]
  local known, line, name, identity, life, address, labels, version, lease, session, anew, stored, handed, protocol, server,
    whole, again = unpack(args)
  local wrong = check(p, known) or held(p, identity)
  if wrong then return wrong end
  local now, node = clock(), redis.call('HGET', p .. 'nodes', name)
  local seat = node and redis.call('HMGET', p .. 'node:' .. node, 'epoch', 'life', 'identity', 'dead', 'expires', 'address',
    'started', 'batch', 'server', 'unsettled', 'draining') or {}
  if seat[1] and not seat[4] and number(seat[5]) > now and seat[2] ~= life and seat[3] ~= identity then
    return {'seat', seat[6], seat[7]}
  end
  for _, other in ipairs(each_node(p)) do
    local said = redis.call('HMGET', other.key, 'protocol', 'version', 'dead', 'expires')
    if other.name ~= name and not said[3] and number(said[4]) > now and
        math.abs(number(said[1]) - tonumber(protocol)) > 1 then
      return {'step', other.name, said[2], said[1] or '0'}
    end
  end
  seat[9] = move(p, server, whole, seat[9])
  local moved = server ~= '' and seat[9] and seat[9] ~= server
  local replaced = moved and again == '1'
  local same = seat[1] and seat[2] == life and seat[1] == known and anew == '0' and not replaced
  local behind = known ~= '0' and (number(seat[1]) < number(known) or
    number(redis.call('HGET', p .. 'meta', 'feed')) < number(line))
  -- What it had answered last is not there.
  behind = behind or (seat[2] == life and stored ~= '0' and seat[8] ~= stored and seat[8] ~= handed)
  local unsure = not replaced and not behind and not same and not seat[4] and (moved or seat[10] == '1')
  probe_nodes(p .. 'probe')
  redis.call('HSET', p .. 'meta', 'schema', SCHEMA)
  if not node then
    node = digits(redis.call('HINCRBY', p .. 'meta', 'node', 1))
    redis.call('HSET', p .. 'nodes', name, node)
  end
  local key = p .. 'node:' .. node
  -- A server that has lost what it answered: no number is given twice.
  if behind then
    same = false
    redis.call('HSET', p .. 'node:' .. node, 'batch', stored)
    redis.call('HSET', p .. 'meta', 'feed', digits(math.max(number(line), number(redis.call('HGET', p .. 'meta', 'feed')))))
  end
  if behind or replaced or unsure then extend(p, name, now + tonumber(lease)) end
  if server ~= '' then redis.call('HSET', key, 'server', server) end
  begin(p, node)
  redis.call('HSET', key, 'expires', digits(now + tonumber(lease)), 'session', session)
  if not same then
    -- One that is drained stays so in the same life, whoever has had its jobs meanwhile.
    local drained = seat[2] == life and seat[11] or '0'
    redis.call('HSET', key, 'name', name, 'epoch', digits(math.max(number(seat[1]), number(known)) + 1), 'life', life,
      'identity', identity, 'address', address, 'labels', labels, 'version', version, 'protocol', protocol, 'started', digits(now), 'seen',
      digits(now), 'draining', drained, 'unsettled', (behind or replaced or unsure) and '1' or '0')
    if seat[2] ~= life then redis.call('HSET', key, 'batch', '0') end
    redis.call('HDEL', key, 'dead')
  end
  local slots = redis.call('HGETALL', p .. 'slots')
  local owners = {}
  for i = 1, #slots, 2 do owners[slots[i]] = true end
  for slot = 0, SLOTS - 1 do
    if not owners[tostring(slot)] then redis.call('HSET', p .. 'slots', slot, node) end
  end
  feed(p, node, {SLOT_LINE})
  return {'ok', node, redis.call('HGET', key, 'epoch'), same and '1' or '0', behind and '1' or '0', replaced and '1' or '0',
    unsure and '1' or '0'}
end

-- The clock was put back: what it has left behind is measured anew.
local function put_back(node, now)
  local known = redis.call('HMGET', node.key, 'expires', 'seen', 'dead')
  if known[3] or number(known[2]) <= now + 1000000 then return end
  redis.call('HSET', node.key, 'expires', digits(now + number(known[1]) - number(known[2])), 'seen', digits(now))
end

-- Has it not settled what this server lacks?
local function unheard(server, joined, unsettled)
  return unsettled == '1' or server and joined and joined ~= server
end

-- node epoch life lease jobs running load clock
local function renew_lease(keys, args)
  local p = keys[1]
  local own, now = p .. 'node:' .. args[1], clock()
  local seat = redis.call('HMGET', own, 'epoch', 'life', 'started')
  if seat[1] ~= args[2] or seat[2] ~= args[3] then return {'fenced'} end
  redis.call('HSET', own, 'expires', digits(now + tonumber(args[4])), 'seen', digits(now), 'jobs', args[5], 'running',
    args[6], 'load', args[7], 'clock', args[8], 'started', digits(math.min(number(seat[3]), now)))
  local answer, server = {'ok', digits(now)}, redis.call('HGET', p .. 'meta', 'server')
  for _, node in ipairs(each_node(p)) do
    put_back(node, now)
    local known = redis.call('HMGET', node.key, 'epoch', 'expires', 'draining', 'dead', 'labels', 'version', 'address',
      'started', 'seen', 'jobs', 'running', 'load', 'clock', 'protocol', 'server', 'unsettled')
    answer[#answer + 1] = node.number
    answer[#answer + 1] = node.name
    known[2] = digits(number(known[2]) - now)
    for i = 1, 14 do answer[#answer + 1] = known[i] or '' end
    answer[#answer + 1] = unheard(server, known[15], known[16]) and '1' or '0'
  end
  return answer
end

-- the numbers of all nodes that have a slot
local function owners(p)
  local set = {}
  for _, node in ipairs(redis.call('HVALS', p .. 'slots')) do set[node] = true end
  return set
end

-- node: those whose lease is over and that have something to be taken, as number, epoch, name; also one that left
-- may, a slot of a place that another gave it as it went
local function dead(keys, args)
  local now, answer, has = clock(), {}, owners(keys[1])
  for _, node in ipairs(each_node(keys[1])) do
    local known = redis.call('HMGET', node.key, 'epoch', 'dead', 'expires')
    if node.number ~= args[1] and known[1] and (not known[2] or has[node.number]) and number(known[3]) < now then
      answer[#answer + 1] = node.number
      answer[#answer + 1] = known[1]
      answer[#answer + 1] = node.name
    end
  end
  return answer
end

-- own node, epoch, session, and the node and its epoch that is to end: answers its open runs
local function take(keys, args)
  local p = keys[1]
  local me, from = args[1], args[4]
  if not share.is_node(p, me, args[2], args[3]) then return {'fenced'} end
  local key = p .. 'node:' .. from
  local known, now = redis.call('HMGET', key, 'epoch', 'dead', 'expires', 'server', 'unsettled'), clock()
  if known[1] ~= args[5] or known[2] and not owners(p)[from] or number(known[3]) >= now then return {'alive'} end
  redis.call('HINCRBY', key, 'epoch', 1)
  redis.call('HSET', key, 'dead', digits(now))
  -- What it was, we are until what it had is held.
  if unheard(redis.call('HGET', p .. 'meta', 'server'), known[4], known[5]) then
    redis.call('HSET', p .. 'node:' .. me, 'unsettled', '1')
  end
  local slots = redis.call('HGETALL', p .. 'slots')
  for i = 1, #slots, 2 do
    if slots[i + 1] == from then redis.call('HSET', p .. 'slots', slots[i], me) end
  end
  local at, answer = redis.call('HGETALL', p .. 'at'), {'ok'}
  for i = 1, #at, 2 do
    local node, state = string.match(at[i + 1], '^(%d+) (%a+)')
    if node == from then
      redis.call('HSET', p .. 'at', at[i], me .. ' ' .. state .. ' ' .. from)
      answer[#answer + 1] = at[i]
    end
  end
  feed(p, me, {SLOT_LINE})
  return answer
end

-- ---- What is read ----

-- id: its definition and state, of one moment
local function job(keys, args)
  local definition = redis.call('HGET', keys[1] .. 'jobs', args[1])
  return definition and {definition, redis.call('HGET', keys[1] .. 'state', args[1]) or ''} or {}
end

local function many(hash, fields)
  local answer = {}
  for from = 1, #fields, CHUNK do
    for _, text in ipairs(redis.call('HMGET', hash, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))) do
      answer[#answer + 1] = text
    end
  end
  return answer
end

-- Runs of jobs that other nodes have open: by key, how many run and how many wait.
local function elsewhere(p, me)
  local at, running, waiting = redis.call('HGETALL', p .. 'at'), {}, {}
  for i = 1, #at, 2 do
    local node, state = string.match(at[i + 1], '^(%d+) (%a+)')
    local counts = state == 'running' and running or waiting
    local key = string.match(at[i], '^(.*)/')
    if node ~= me then counts[key] = (counts[key] or 0) + 1 end
  end
  return running, waiting
end

-- node, an id or nothing, slots: how many slots were looked into, and of each job its id, state, the last run's state, and
-- how many of its runs other nodes have open
local function count(keys, args)
  local p, ids, slots = keys[1], {}, 0
  if args[2] ~= '' then ids = {args[2]} end
  while slots < #args - 2 and #ids < PAGE do
    slots = slots + 1
    for _, id in ipairs(redis.call('SMEMBERS', p .. 'in:' .. args[slots + 2])) do ids[#ids + 1] = id end
  end
  local answer, running, waiting = {digits(slots)}, elsewhere(p, args[1])
  local states, numbers = many(p .. 'state', ids), many(p .. 'keys', ids)
  for i, id in ipairs(ids) do
    if state_read(states[i]).there then
      local last = numbers[i] and redis.call('HGET', p .. 'ends', numbers[i])
      answer[#answer + 1] = id
      answer[#answer + 1] = states[i]
      answer[#answer + 1] = last and string.match(last, '%a+$') or ''
      answer[#answer + 1] = digits(running[numbers[i]] or 0)
      answer[#answer + 1] = digits(waiting[numbers[i]] or 0)
    end
  end
  return answer
end

-- microseconds: lines of the feed that are older go
local function tidy(keys, args)
  local p, from = keys[1], '-'
  local oldest = clock() - tonumber(args[1])
  repeat
    local lines, newer = redis.call('XRANGE', p .. 'feed', from, '+', 'COUNT', PAGE), nil
    for _, line in ipairs(lines) do
      if number(line[2][2]) >= oldest then
        newer = line[1]
        break
      end
      from = '(' .. line[1]
    end
    if newer then redis.call('XTRIM', p .. 'feed', 'MINID', newer) end
  until newer or #lines < PAGE
  return {'ok'}
end

redis.register_function{function_name = 'schedd_v2_join', callback = join, flags = {'allow-oom'}}
redis.register_function{function_name = 'schedd_v2_renew', callback = renew_lease, flags = {'allow-oom'}}
redis.register_function('schedd_v2_dead', dead)
redis.register_function{function_name = 'schedd_v2_take', callback = take, flags = {'allow-oom'}}
redis.register_function('schedd_v2_job', job)
redis.register_function('schedd_v2_count', count)
redis.register_function{function_name = 'schedd_v2_tidy', callback = tidy, flags = {'allow-oom'}}
