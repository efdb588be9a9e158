-- Whether the shard's index was filled since the last flush, and whether something in it was let lie: a lease that ran out,
-- a timer that has been due for a second.
-- KEYS[1] epoch, KEYS[2] due, KEYS[3] leased
-- ARGV[1] now (ms, business time)
local time = redis.call('TIME')
local real = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local abandoned = redis.call('ZCOUNT', KEYS[3], '-inf', real) + redis.call('ZCOUNT', KEYS[2], '-inf', tonumber(ARGV[1]) - 1000)
return {redis.call('EXISTS', KEYS[1]), abandoned}
