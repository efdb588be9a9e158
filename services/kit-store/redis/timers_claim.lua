-- Ends the leases of what was settled, then claims what is due, with a lease; leases that ran out come back first.
-- KEYS[1] due, KEYS[2] leased
-- ARGV[1] now (ms, business time), ARGV[2] lease in ms (real time), ARGV[3] most timers, ARGV[4] most fresh ones beside them,
-- ARGV[5] how long a timer is fresh (ms), ARGV[6..] settled ids
-- Returns {claimed ids, fresh ids, next due time in ms or -1, ms until a lease runs out or -1}
local time = redis.call('TIME')
local real = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local now, most = tonumber(ARGV[1]), tonumber(ARGV[3])

if #ARGV > 5 then redis.call('ZREM', KEYS[2], unpack(ARGV, 6)) end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', real, 'LIMIT', 0, most)) do
    -- They were due when they were claimed: to the front.
    redis.call('ZADD', KEYS[1], 0, id)
    redis.call('ZREM', KEYS[2], id)
end

local function lease(ids)
    local leased = {}
    for _, id in ipairs(ids) do
        leased[#leased + 1] = real + tonumber(ARGV[2])
        leased[#leased + 1] = id
    end
    redis.call('ZADD', KEYS[2], unpack(leased))
end

local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, most)
if #ids > 0 then
    lease(ids)
    redis.call('ZREMRANGEBYRANK', KEYS[1], 0, #ids - 1)
end
local fresh = {}
if #ids == most then
    -- There is a backlog. What came due just now does not wait behind all of it.
    fresh = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now - tonumber(ARGV[5])), now, 'LIMIT', 0, ARGV[4])
    if #fresh > 0 then
        lease(fresh)
        redis.call('ZREM', KEYS[1], unpack(fresh))
    end
end
local due = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local out = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
return {ids, fresh, due[2] and math.floor(tonumber(due[2])) or -1, out[2] and math.max(math.ceil(tonumber(out[2]) - real), 0) or -1}
