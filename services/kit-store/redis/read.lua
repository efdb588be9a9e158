-- Takes or renews a shard's lease and reads the next entries, in one step: who does not hold the lease reads nothing.
-- KEYS[1] lease, KEYS[2] stream
-- ARGV[1] token, ARGV[2] lease in ms, ARGV[3] group, ARGV[4] most entries, ARGV[5] 'pending' or 'new'
-- Returns {'elsewhere', ms}: another holds the lease, for so long yet
--         {'taken'}: the lease is ours from now on; ask for 'pending' next
--         {'read', id, event, id, event, ...}
local CONSUMER = 'active'

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
    return {'elsewhere', math.max(redis.call('PTTL', KEYS[1]), 0)}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])

-- After a flush the group is gone; it begins again with everything the stream holds.
local function ensure_group()
    redis.call('XGROUP', 'CREATE', KEYS[2], ARGV[3], '0', 'MKSTREAM')
end
if redis.call('EXISTS', KEYS[2]) == 0 then ensure_group() end
local known = false
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
    if group[2] == ARGV[3] then known = true end
end
if not known then ensure_group() end

if not holder then return {'taken'} end

local entries
if ARGV[5] == 'pending' then
    -- All of them, whoever let them lie: only the holder of the lease has a right to any.
    entries = redis.call('XAUTOCLAIM', KEYS[2], ARGV[3], CONSUMER, 0, '0-0', 'COUNT', ARGV[4])[2]
else
    local streams = redis.call('XREADGROUP', 'GROUP', ARGV[3], CONSUMER, 'COUNT', ARGV[4], 'STREAMS', KEYS[2], '>')
    entries = streams and streams[1] and streams[1][2] or {}
end

local answer = {'read'}
for _, entry in ipairs(entries) do
    local id, fields = entry[1], entry[2]
    for i = 1, #fields, 2 do
        if fields[i] == 'event' then
            answer[#answer + 1] = id
            answer[#answer + 1] = fields[i + 1]
        end
    end
end
return answer
