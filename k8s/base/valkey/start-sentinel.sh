#!/bin/sh
# Watches the primary; two of three Sentinels agree before one of the replicas is promoted.
set -eu
. /etc/valkey/find-primary.sh
cat > /run/valkey/sentinel.conf <<CONF
port 26379
protected-mode no
dir /run/valkey
# Pods change their addresses, never their names.
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $POD_NAME.valkey-nodes
sentinel monitor steward $primary 6379 2
sentinel auth-pass steward $PASSWORD
sentinel down-after-milliseconds steward 3000
sentinel failover-timeout steward 6000
sentinel parallel-syncs steward 1
CONF
exec valkey-sentinel /run/valkey/sentinel.conf
