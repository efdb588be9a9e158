#!/usr/bin/env bash
# Walks the main job with curl through the JSON API.
#
#   cargo dev up --detach
#   tests/e2e/walks/walk.sh
set -euo pipefail

gateway=${STEWARD_GATEWAY:-$(cargo dev status | awk '$1 == "gateway" { print "127.0.0.1:" $3 }')}
[ -n "$gateway" ] || { echo "the gateway does not run: cargo dev up --detach" >&2; exit 1; }

token() { # role subject
  local name="STEWARD_TOKEN_${1^^}"
  if [ -n "${!name:-}" ]; then echo "${!name}"; else cargo dev token --role "$1" --subject "$2" --estate '*' | tail -n 1; fi
}
manager=$(token estate_manager manager.wu)
technician=$(token technician tech.sh)
desk=$(token customer_service desk.sh)

id() { cat /proc/sys/kernel/random/uuid; }
pick() { # JSON on standard input, a path such as workOrder.state
  python3 -c 'import json,sys
value = json.load(sys.stdin)
for part in sys.argv[1].split("."):
    value = value[int(part)] if part.isdigit() else value[part]
print(value)' "$1"
}
ask() { # token, method, path, [body]
  curl --silent --show-error --fail-with-body -X "$2" "http://$gateway$3" -H "authorization: Bearer $1" \
    -H 'content-type: application/json' ${4:+--data "$4"}
}

estate=$(ask "$manager" GET '/v1/estates?pageSize=1' | pick estates.0.id)
customer=$(ask "$manager" GET "/v1/estates/$estate/customers?pageSize=1" | pick customers.0.id)
unit=$(ask "$manager" GET "/v1/tenures?customerId=$customer&pageSize=1" | pick tenures.0.unitId)
echo "estate $estate, unit $unit, customer $customer"

report=$(printf '{"requestId":"%s","channel":"CHANNEL_HOTLINE","estateId":"%s","unitId":"%s","reporter":{"customerId":"%s"},"kind":"WORK_ORDER_KIND_REPAIR","text":"厨房水管爆裂"}' "$(id)" "$estate" "$unit" "$customer")
taken=$(ask "$desk" POST /v1/reports "$report")
order=$(pick workOrder.id <<<"$taken")
echo "$(pick workOrder.number <<<"$taken"): $(pick classification.category <<<"$taken")"
[ "$(ask "$desk" POST /v1/reports "$report" | pick workOrder.id)" = "$order" ] || { echo "the same request id gave another order" >&2; exit 1; }

verb() { # token, verb, [further fields as JSON members]
  local answer
  answer=$(ask "$1" POST "/v1/work-orders/$order:$2" "{\"requestId\":\"$(id)\"${3:+,$3}}")
  state=$(pick workOrder.state <<<"$answer")
  echo "  $2 -> $state"
}
work() {
  verb "$manager" assign '"assignee":"tech.sh"'
  verb "$technician" accept
  verb "$technician" contact '"reached":true,"promise":{"value":2,"unit":"UNIT_HOUR","calendar":"24x7"}'
  verb "$technician" arrive
  verb "$technician" complete '"summary":"换了软管","media":[{"key":"photos/after.jpg","sha256":"0000000000000000000000000000000000000000000000000000000000000000","kind":"MEDIA_KIND_AFTER"}]'
}
call_back() { verb "$desk" recordCallback "\"outcome\":\"CALLBACK_OUTCOME_REACHED\",\"score\":$1,\"mode\":\"CALLBACK_MODE_PHONE\""; }

work
call_back 2
[ "$state" = STATE_REOPENED ] || { echo "a score of 2 did not reopen the order" >&2; exit 1; }
work
call_back 5
verb "$desk" close '"closeCode":"CLOSE_CODE_RESOLVED"'
[ "$state" = STATE_CLOSED ] || { echo "the order is not closed" >&2; exit 1; }

refusal=$(curl --silent -X POST "http://$gateway/v1/work-orders/$order:assign" -H "authorization: Bearer $manager" \
  -H 'content-type: application/json' -H 'accept-language: en' --data "{\"requestId\":\"$(id)\",\"assignee\":\"tech.sh\"}")
[ "$(pick error.status <<<"$refusal")" = FAILED_PRECONDITION ] || { echo "a closed order was assigned: $refusal" >&2; exit 1; }
echo "  refused as it should be: $(pick error.message <<<"$refusal")"
echo "the walk is done"
