-- Which of these timers are not in the index at their time. A leased one is being fired: not missing.
-- KEYS[1] due, KEYS[2] leased
-- ARGV time in ms, id, time in ms, id, ...
-- Returns the places (from 0) of the missing pairs
local ids = {}
for i = 2, #ARGV, 2 do ids[#ids + 1] = ARGV[i] end
local scores = redis.call('ZMSCORE', KEYS[1], unpack(ids))
local missing = {}
for place, id in ipairs(ids) do
    local score = scores[place]
    if not (score and tonumber(score) <= tonumber(ARGV[2 * place - 1])) and not redis.call('ZSCORE', KEYS[2], id) then
        missing[#missing + 1] = place - 1
    end
end
return missing
