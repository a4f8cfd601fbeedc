# Prometheus over a minute of load, 300 accounting requests a second and some
# logins: what the rules and the dashboard ask
# for is there. Sourced by run.sh.

test_watching() {
  local until=$((SECONDS + 60)) prometheus=http://127.0.0.1:$PROMETHEUS_PORT
  step "a minute of load under Prometheus"
  await 30 "Prometheus answers" curl -fsS "$prometheus/-/ready"
  go build -C "$repo" -o "$work/bench" ./bench
  "$work/bench" load -address "127.0.0.1:$RADSEC_GW_PORT" -certs "$work/nas/certs" -mix acct -rate 300 -duration 60s >"$work/load" 2>&1 &
  load=$!
  while [ $SECONDS -lt $until ]; do
    inside probe access -certs /certs -user bob -password hello -quiet
    inside probe accounting -certs /certs -user bob -quiet
    inside probe coa -certs /certs -user bob -quiet >/dev/null 2>&1 || true # not routed: refused
    sleep 0.2
  done
  wait $load || { cat "$work/load" >&2 && die "the load"; }
  sed 's/^/   /' "$work/load"
  await 30 "every query of the rules and the dashboard returns data" \
    go run -C "$here" ./queries -prometheus "$prometheus" -metrics "http://127.0.0.1:$RADSEC_GW_METRICS_PORT/metrics"
  cat "$work/out"
}
