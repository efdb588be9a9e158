-- Appends a batch to a shard's stream, whole or not at all.
-- KEYS[1] stream
-- ARGV[1] where the stream must reach at least, ARGV[2] the last position given, ARGV[3] channel to wake consumers,
-- ARGV[4..] encoded events
-- Returns {'lost', end} when the stream ends too early: entries are gone, nothing was appended;
-- else {'at', first}: the events stand at first, first + 1, ...
local function place(position) return string.format('%.0f-0', position) end

local stream_end = 0
if redis.call('EXISTS', KEYS[1]) == 1 then
    local info = redis.call('XINFO', 'STREAM', KEYS[1])
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then
            stream_end = tonumber(string.match(info[i + 1], '^(%d+)-'))
        end
    end
end
if stream_end < tonumber(ARGV[1]) then
    return {'lost', stream_end}
end
-- A relay that died between here and its commit leaves entries beyond the position: go past them. What stands twice is
-- applied once by the inbox.
local first = math.max(stream_end, tonumber(ARGV[2])) + 1
for i = 4, #ARGV do
    redis.call('XADD', KEYS[1], place(first + i - 4), 'event', ARGV[i])
end
if #ARGV > 3 then
    redis.call('PUBLISH', ARGV[3], '')
end
return {'at', first}
