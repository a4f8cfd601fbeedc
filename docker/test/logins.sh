# Logins through the composed stack. Sourced by run.sh.

test_logins() {
  local services
  step "the stack"
  RADSEC_GW_PORT=$(free_port) RADSEC_GW_METRICS_PORT=$(free_port) PROMETHEUS_PORT=$(free_port) GRAFANA_PORT=$(free_port)
  export RADSEC_GW_PORT RADSEC_GW_METRICS_PORT PROMETHEUS_PORT GRAFANA_PORT RADSEC_GW_VERSION=$name
  services=(pod certs secrets radsec-gw freeradius prometheus)
  # Debian has no Grafana: its dashboard and provisioning are checked as files.
  if has_image "$(image_of grafana)"; then services+=(grafana); else echo "   grafana: no image and no Debian package, not started"; fi
  as_readme "$(readme 'up --build --detach' | sed "s/--build --detach/--detach --no-build ${services[*]}/")" >"$work/up" 2>&1 ||
    { cat "$work/up" >&2 && die "compose up"; }
  gateway=$(container radsec-gw)
  freeradius=$(container freeradius)
  await 30 "Status-Server is answered" inside probe status -certs /certs -quiet
  await 40 "the container's health check says healthy" test_healthy
  await 20 "FreeRADIUS is up for the gateway" metric_is 'radsec_gw_server_up{port="auth",server="freeradius"}' 1
  check "radsec_gw_build_info names the commit" grep -q "^radsec_gw_build_info{commit=\"$revision\"" <(metrics)

  test_secrets

  step "logins"
  docker cp "$gateway:/radsec-gw" "$work/radsec-gw" >/dev/null
  await 10 "PAP, by the README's commands: an Access-Accept" as_readme "$(readme '^gw probe status')"
  printed "with FreeRADIUS's reply" "Hello, bob"
  tap_login
  check "accounting is acknowledged" inside probe accounting -certs /certs -user bob
  if inside probe access -certs /certs -user bob -password wrong >"$work/out" 2>&1; then die "a wrong password is accepted"; fi
  printed "a wrong password: an Access-Reject" "Access-Reject"
  peap_login
  check "UDP is not published: FreeRADIUS listens on the shared loopback only" test -z "$(docker port "$freeradius" 2>/dev/null)"
  check "and nowhere else" only_loopback
}

# The secrets were made at the first start, at random, and stay; a file of the operator's replaces one.
test_secrets() {
  local udp admin
  step "secrets"
  udp=$(secret_of radius-secret freeradius-udp) admin=$(secret_of grafana-secret grafana-admin)
  check "FreeRADIUS's is random, of 256 bits" grep -Eqx '[0-9a-f]{64}' <<<"$udp"
  check "Grafana's too, and another" test "$(grep -Ecx '[0-9a-f]{64}' <<<"$admin")" = 1 -a "$udp" != "$admin"
  check "each is readable for one user alone" test "$(modes_of_secrets)" = "400 65532 400 472 "
  stack run --rm secrets >/dev/null 2>&1
  check "a second start keeps them" test "$(secret_of radius-secret freeradius-udp)" = "$udp"
  echo of-my-own >"$work/own" && chmod 0600 "$work/own"
  GRAFANA_ADMIN_SECRET_FILE=$work/own stack run --rm secrets >/dev/null 2>&1
  check "a file of one's own replaces one" test "$(secret_of grafana-secret grafana-admin)" = of-my-own
  check "the gateway does not see Grafana's" test -z "$(docker inspect -f '{{range .Mounts}}{{.Name}} {{end}}' "$gateway" "$freeradius" | grep grafana-secret)"
  check "every service has a root that cannot be written, no capability, and gains no privilege" locked_down
}

# secret_of VOLUME FILE prints a secret, modes_of_secrets whose they are.
secret_of() { docker run --rm --network none --entrypoint /bin/cat -v "${name}_$1:/secret:ro" "$FREERADIUS_IMAGE" "/secret/$2"; }
modes_of_secrets() {
  local volume
  for volume in radius-secret grafana-secret; do
    stat -c '%a %u' "$(docker volume inspect -f '{{.Mountpoint}}' "${name}_$volume")"/* | tr '\n' ' '
  done
}

# locked_down reads the composed file as compose itself does, Grafana and NATS included.
locked_down() {
  stack --profile nats config >"$work/config.yaml"
  [ "$(grep -c 'read_only: true$' "$work/config.yaml")" -ge 10 ] &&
    [ "$(grep -c 'image:' "$work/config.yaml")" = 10 ] && [ "$(grep -c -- '- ALL' "$work/config.yaml")" = 10 ] &&
    [ "$(grep -c -- 'no-new-privileges:true' "$work/config.yaml")" = 10 ]
}

# inside runs the gateway's program in its container.
inside() { docker exec "$gateway" /radsec-gw "$@"; }

test_healthy() { test "$(docker inspect -f '{{.State.Health.Status}}' "$gateway")" = healthy; }

metrics() { curl -fsS "http://127.0.0.1:$RADSEC_GW_METRICS_PORT/metrics"; }
# metric SERIES prints its value.
metric() { metrics | awk -v series="$1 " 'index($0, series) == 1 { print $NF }'; }
metric_is() { test "$(metric "$1")" = "$2"; }

# A login as `radsec-gw tap` shows it. The tap stays attached: it ends with the gateway.
tap_login() {
  docker exec "$gateway" /radsec-gw tap -user bob >"$work/tap" 2>&1 &
  tap=$!
  await 10 "tap is attached" grep -q 'showing user="bob"' "$work/tap"
  inside probe access -certs /certs -user alice -password elsewhere >/dev/null 2>&1 || true
  inside probe access -certs /certs -user bob -password hello -quiet
  await 10 "it shows the login" grep -q -- '-> Access-Request' "$work/tap"
  await 10 "and its reply, relayed from FreeRADIUS" grep -q -- '<- relayed, Access-Request .*, server freeradius .*: Access-Accept' "$work/tap"
  check "not the password" grep -q 'User-Password = \[hidden\]' "$work/tap"
  check "and nobody else's login" test -z "$(grep alice "$work/tap")"
}

# PEAP with MSCHAPv2 by eapol_test, through radsecproxy as the NAS's RadSec client.
peap_login() {
  local nas=$work/nas port
  port=$(free_port)
  mkdir -p "$nas"
  docker cp "$gateway:/certs/." "$nas/certs" >/dev/null
  check "the gateway does not see the CA's private key" test -e "$nas/certs/ca.pem" -a ! -e "$nas/certs/ca.key"
  cat >"$nas/radsecproxy.conf" <<CONF
ListenUDP 127.0.0.1:$port
LogLevel 3
tls default {
    CACertificateFile $nas/certs/ca.pem
    CertificateFile $nas/certs/client.pem
    CertificateKeyFile $nas/certs/client.key
}
client nas {
    host 127.0.0.1
    type udp
    secret nas-secret
}
server gateway {
    host 127.0.0.1
    port $RADSEC_GW_PORT
    type tls
    secret radsec
    certificateNameCheck off
}
realm * {
    server gateway
}
CONF
  cat >"$nas/peap.conf" <<CONF
network={
key_mgmt=WPA-EAP
eap=PEAP
identity="bob"
anonymous_identity="anonymous"
password="hello"
phase2="auth=MSCHAPV2"
ca_cert="$nas/certs/ca.pem"
domain_match="radius.example.org"
eapol_flags=0
}
CONF
  radsecproxy -f -c "$nas/radsecproxy.conf" >"$nas/log" 2>&1 &
  radsecproxy=$!
  await 40 "PEAP-MSCHAPv2 through the published port: eapol_test succeeds" \
    eapol_test -c "$nas/peap.conf" -a 127.0.0.1 -p "$port" -s nas-secret -t 20
  printed "and its MPPE keys agree" "MPPE keys OK: 1  mismatch: 0"
  kill "$radsecproxy"
}

# only_loopback reads the UDP sockets of the shared network: 1812 is 0714, 127.0.0.1 is 0100007F.
only_loopback() {
  local pid
  pid=$(docker inspect -f '{{.State.Pid}}' "$freeradius")
  grep -q '0100007F:0714 ' "/proc/$pid/net/udp" && ! grep -q ' 00000000:071[45] ' "/proc/$pid/net/udp"
}
