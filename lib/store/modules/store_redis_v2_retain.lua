-- SPDX-License-Identifier: MIT
--
-- The last part of store_redis_v2.lua: what is too old goes.

local function delete(p, fields)
  local list = {}
  for _, field in ipairs(fields) do
    local text = redis.call('HGET', p .. 'runs', field)
    local key, number = string.match(field, '^(%d+)/(%d+)$')
    list[#list + 1] = {field = field, key = key, number = number, was = text and string.match(text, '^%d+ (%S+) ')}
  end
  forget(p, list)
end

local function is_open(p, field)
  return redis.call('ZSCORE', p .. 'open', field)
end

-- most runs in all, budget
local function retain_total(keys, args)
  local p, budget, fields, from = keys[1], tonumber(args[2]), {}, 0
  local over = redis.call('ZCARD', p .. 'log') - tonumber(args[1])
  while from < over and #fields < budget do
    local to = math.min(from + 1000, over)
    for _, field in ipairs(redis.call('ZRANGE', p .. 'log', from, to - 1)) do
      if #fields < budget and not is_open(p, field) then fields[#fields + 1] = field end
    end
    from = to
  end
  delete(p, fields)
  return #fields
end

-- when, budget, one job's key or nothing, keys of jobs with rules of their own
local function retain_age(keys, args)
  local p, budget, only, fields, except = keys[1], tonumber(args[2]), args[3], {}, {}
  local from = '-'
  for i = 4, #args do except[args[i]] = true end
  repeat
    local members = redis.call('ZRANGEBYLEX', p .. 'done', from, '(' .. args[1], 'LIMIT', 0, 1000)
    for _, member in ipairs(members) do
      local field, key = string.match(member, '^%S+ ((%d+)/%d+)$')
      if #fields < budget and (only == '' or key == only) and not except[key] then fields[#fields + 1] = field end
    end
    from = #members > 0 and '(' .. members[#members]
  until not from or #fields >= budget
  delete(p, fields)
  return #fields
end

-- most runs of a job, budget, keys of jobs
local function retain_runs(keys, args)
  local p, most, budget, fields = keys[1], tonumber(args[1]), tonumber(args[2]), {}
  for i = 3, #args do
    local over = redis.call('ZCARD', p .. 'of:' .. args[i]) - most
    if over > 0 and #fields < budget then
      for _, number in ipairs(redis.call('ZRANGE', p .. 'of:' .. args[i], 0, over - 1)) do
        local field = args[i] .. '/' .. number
        if #fields < budget and not is_open(p, field) then fields[#fields + 1] = field end
      end
    end
  end
  delete(p, fields)
  return #fields
end

redis.register_function{function_name = 'schedd_v2_retain_total', callback = retain_total, flags = {'allow-oom'}}
redis.register_function{function_name = 'schedd_v2_retain_age', callback = retain_age, flags = {'allow-oom'}}
redis.register_function{function_name = 'schedd_v2_retain_runs', callback = retain_runs, flags = {'allow-oom'}}
