#!/bin/sh
# Makes the secrets of the dev overlay in the current cluster. What exists is kept: a keyring that changed would open nothing any more.
# Tokens and keyrings are those of the development stack (`cargo dev up` has made them), so `cargo dev token` signs for this cluster too.
set -eu
namespace=steward-dev
keys="${STEWARD_DEV_DIR:-$(cd "$(dirname "$0")/../../.." && pwd)/target/dev}/keys"
[ -f "$keys/jwks.json" ] || { echo "no keys in $keys: run \`cargo dev up --detach\` once" >&2; exit 1; }

make() {
    kubectl -n "$namespace" get "$1" "$3" >/dev/null 2>&1 || kubectl -n "$namespace" create "$@"
}
password() { openssl rand -hex 24; }

kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl apply -f "$(dirname "$0")/namespace.yaml"
for service in customer work-order notification survey care; do
    schema=$(echo "$service" | tr - _)
    for role in owner app; do
        make secret generic "postgres-$service-$role" --type=kubernetes.io/basic-auth \
            --from-literal=username="${schema}_$role" --from-literal=password="$(password)"
    done
    make secret generic "keyring-$service" --from-file=keyring="$keys/$service.keyring"
done
for service in work-order notification survey care; do
    make secret generic "token-$service" --from-file=token="$keys/$service.token"
done
make secret generic valkey --from-literal=password="$(password)"
make secret generic notification-smtp --from-literal=url=smtp://mailpit:1025
# Public, but it comes from the same place.
kubectl -n "$namespace" create configmap issuer-jwks --from-file=jwks.json="$keys/jwks.json" --dry-run=client -o yaml |
    kubectl -n "$namespace" apply -f -
