-- Puts timers into the index, ends their leases, and wakes every replica if one is earlier than all before.
-- KEYS[1] due, KEYS[2] leased
-- ARGV[1] channel, ARGV[2..] time in ms, id, time in ms, id, ...
-- Returns 1 if one is earlier than all before
local before = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('ZADD', KEYS[1], unpack(ARGV, 2))
if redis.call('EXISTS', KEYS[2]) == 1 then
    local ids = {}
    for i = 3, #ARGV, 2 do ids[#ids + 1] = ARGV[i] end
    redis.call('ZREM', KEYS[2], unpack(ids))
end
local after = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if after[2] and (not before[2] or tonumber(after[2]) < tonumber(before[2])) then
    redis.call('PUBLISH', ARGV[1], '')
    return 1
end
return 0
