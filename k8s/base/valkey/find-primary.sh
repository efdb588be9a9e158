# Sets `primary` to the address of the primary as the Sentinels know it; to the first node where none answers, as on the first start.
# A Sentinel has no password, and the tool fails when it offers one that nobody asked for.
# (After a total loss the first node may have less than another had. What it lacks is made again from Postgres.)
primary=""
for node in 0 1 2; do
    answer=$(env -u VALKEYCLI_AUTH -u REDISCLI_AUTH timeout 2 \
        valkey-cli -h "valkey-$node.valkey-nodes" -p 26379 --raw SENTINEL GET-MASTER-ADDR-BY-NAME steward 2>/dev/null | head -n 1)
    case "$answer" in
        valkey-*) primary="$answer"; break ;;
    esac
done
primary="${primary:-valkey-0.valkey-nodes}"
