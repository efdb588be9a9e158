-- Which of these timers are not in the index at their time. A leased one is being fired: not missing.
-- KEYS[1] due, KEYS[2] leased
-- ARGV time in ms, id, time in ms, id, ...
-- Returns the places (from 0) of the missing pairs
local missing = {}
for i = 1, #ARGV, 2 do
    local score = redis.call('ZSCORE', KEYS[1], ARGV[i + 1])
    if not (score and tonumber(score) <= tonumber(ARGV[i])) and not redis.call('ZSCORE', KEYS[2], ARGV[i + 1]) then
        missing[#missing + 1] = (i - 1) / 2
    end
end
return missing
