# A FreeRADIUS that dies and restarts, and the end of the gateway. Sourced by run.sh.

up='radsec_gw_server_up{port="auth",server="freeradius"}'

# knock sends a login that need not be answered.
knock() { inside probe access -certs /certs -user bob -password hello -timeout 1s >/dev/null 2>&1 || true; }
is_down() { knock && metric_is "$up" 0; }
ready_is() { test "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$RADSEC_GW_METRICS_PORT/readyz")" = "$1"; }

alert_is() {
  curl -fsS "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query" --data-urlencode "query=ALERTS{alertname=\"$1\"}" | grep -q "\"$1\""
}

# make_spool writes what turns the accounting spool on: the stack's configuration with the line
# that is a comment there.
make_spool() {
  sed 's/^# spool = true/spool = true/' "$repo/docker/radsec-gw.toml" >"$work/radsec-gw.toml"
  grep -qx 'spool = true' "$work/radsec-gw.toml" || die "docker/radsec-gw.toml has no line for the spool"
  printf 'services: {radsec-gw: {volumes: ["%s:/etc/radsec-gw/radsec-gw.toml:ro"]}}\n' "$work/radsec-gw.toml" >"$work/spool.yaml"
}

# spool_lists reports whether the session is in the spool, by the README's command.
spool_lists() {
  as_readme "$(readme '^gw probe status' | grep '^gw() ')
$(readme_line '^gw spool ls')" >"$work/ls" 2>&1 && grep -q "$1" "$work/ls"
}
spool_is_empty() { test "$(metric radsec_gw_spool_records)" = 0; }

test_outage() {
  step "FreeRADIUS is killed"
  check "/readyz says ready" ready_is 200
  as_readme "$(readme_line 'kill freeradius')" >/dev/null 2>&1
  await 60 "the metric shows that it is down" is_down
  await 20 "/readyz says not ready" ready_is 503 # down after 11 s, as check says
  await 45 "Prometheus sees the alert RadSecNoServerLeft" alert_is RadSecNoServerLeft
  check "the gateway itself still answers Status-Server" inside probe status -certs /certs -quiet
  check "accounting is acknowledged" inside probe accounting -certs /certs -user bob -session-id 5f3a -quiet
  check "  because it is stored in the volume, as the README's command shows" spool_lists '"5f3a"'
  check "  by the image's user alone" test "$(stat -c '%a %u' "$(docker volume inspect -f '{{.Mountpoint}}' "${name}_spool")/spool")" = "700 65532"
  step "FreeRADIUS is started"
  as_readme "$(readme_line 'start freeradius')" >/dev/null 2>&1
  await 90 "the metric shows that it is up" metric_is "$up" 1
  await 10 "/readyz says ready" ready_is 200
  await 10 "and a login succeeds" inside probe access -certs /certs -user bob -password hello -quiet
  await 60 "the accounting is sent to FreeRADIUS" spool_is_empty
}

# A login is in flight while the stack is told to stop: FreeRADIUS is frozen
# until then, and has to outlive the gateway.
test_stop() {
  local before=$SECONDS login stop
  step "stop with a login in flight"
  docker pause "$freeradius" >/dev/null
  "$work/radsec-gw" probe access -address "127.0.0.1:$RADSEC_GW_PORT" -certs "$work/nas/certs" \
    -user bob -password hello -timeout 30s >"$work/login" 2>&1 &
  login=$!
  await 10 "the login waits for FreeRADIUS" waiting
  stack stop >"$work/stop" 2>&1 &
  stop=$!
  await 10 "the gateway is draining" draining
  docker unpause "$freeradius" >/dev/null
  wait "$login" || { cat "$work/login" >&2 && die "the login in flight was lost"; }
  ok "the login in flight is answered"
  wait "$stop" || { cat "$work/stop" >&2 && die "compose stop"; }
  check "compose stop was done in $((SECONDS - before)) s, less than the grace of 40" test $((SECONDS - before)) -lt 40
  if wait "$tap"; then die "the tap ended before the gateway"; fi
  check "the tap ended with the gateway, and says so" grep -q "the gateway has ended the tap" "$work/tap"
  check "the gateway's exit status is 0" test "$(docker inspect -f '{{.State.ExitCode}}' "$gateway")" = 0
}

# At least 1: a health check waits, too.
waiting() { test "$(metric 'radsec_gw_server_outstanding_requests{port="auth",server="freeradius"}')" -ge 1; }
draining() { docker logs --tail 20 "$gateway" 2>&1 | grep -q draining; }
