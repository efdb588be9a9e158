-- Claims what is due, with a lease; leases that ran out come back first.
-- KEYS[1] due, KEYS[2] leased
-- ARGV[1] now (ms, business time), ARGV[2] lease in ms (real time), ARGV[3] most timers
-- Returns {claimed ids, next due time in ms or -1, ms until a lease runs out or -1}
local time = redis.call('TIME')
local real = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local most = tonumber(ARGV[3])

for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', real, 'LIMIT', 0, most)) do
    -- They were due when they were claimed: to the front.
    redis.call('ZADD', KEYS[1], 0, id)
    redis.call('ZREM', KEYS[2], id)
end
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, most)
for _, id in ipairs(ids) do
    redis.call('ZADD', KEYS[2], real + tonumber(ARGV[2]), id)
    redis.call('ZREM', KEYS[1], id)
end
local due = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local lease = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
return {ids, due[2] and math.floor(tonumber(due[2])) or -1, lease[2] and math.max(math.ceil(tonumber(lease[2]) - real), 0) or -1}
