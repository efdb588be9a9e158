-- Puts timers into the index, ends their leases, and wakes every replica if one is earlier than all before.
-- KEYS[1] due, KEYS[2] leased
-- ARGV[1] channel, ARGV[2..] time in ms, id, time in ms, id, ...
local before = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
for i = 2, #ARGV, 2 do
    redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1])
    redis.call('ZREM', KEYS[2], ARGV[i + 1])
end
local after = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if after[2] and (not before[2] or tonumber(after[2]) < tonumber(before[2])) then
    redis.call('PUBLISH', ARGV[1], '')
end
return #ARGV
