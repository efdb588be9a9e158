-- Renews a lease that is ours, or gives it back (0 ms). Returns whether it was ours.
-- KEYS[1] lease; ARGV[1] token, ARGV[2] lease in ms, ARGV[3] channel to wake who waits for it
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
    redis.call('DEL', KEYS[1])
    redis.call('PUBLISH', ARGV[3], '')
else
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
