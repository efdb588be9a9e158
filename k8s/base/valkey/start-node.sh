#!/bin/sh
# Starts this node as the primary if it is, or as a replica of it.
set -eu
self="$POD_NAME.valkey-nodes"
. /etc/valkey/find-primary.sh
# Sentinel rewrites the file when it promotes or demotes.
cp /etc/valkey/valkey.conf /run/valkey/valkey.conf
{
    echo "requirepass $PASSWORD"
    echo "masterauth $PASSWORD"
    echo "replica-announce-ip $self"
    if [ "$primary" != "$self" ]; then echo "replicaof $primary 6379"; fi
} >> /run/valkey/valkey.conf
exec valkey-server /run/valkey/valkey.conf
