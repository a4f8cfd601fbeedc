#!/bin/bash
# Builds the packages, installs, runs, upgrades, removes and purges them in a
# fresh Debian, and checks the unit with systemd. Needs root and
# Debian's debootstrap, rpm and systemd. The last line counts.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
root=$work/debian
passed=0
started=$SECONDS
gateway= radius=

step() { echo "STEP $((SECONDS - started))s $*"; }
die() {
  echo "FAILED: $*" >&2
  exit 1
}
check() {
  local text=$1
  shift
  "$@" >"$work/out" 2>&1 || { cat "$work/out" >&2 && die "$text"; }
  passed=$((passed + 1)) && echo "   ok: $text"
}
# printed TEXT PATTERN: the command before printed it; unsaid TEXT PATTERN: it did not.
printed() {
  grep -q "$2" "$work/out" || { cat "$work/out" >&2 && die "$1"; }
  passed=$((passed + 1)) && echo "   ok: $1"
}
unsaid() {
  ! grep -q "$2" "$work/out" || { cat "$work/out" >&2 && die "$1"; }
  passed=$((passed + 1)) && echo "   ok: $1"
}
# refuse TEXT COMMAND...: the command must fail.
refuse() {
  local text=$1
  shift
  if "$@" >"$work/out" 2>&1; then cat "$work/out" >&2 && die "$text"; fi
  passed=$((passed + 1)) && echo "   ok: $text"
}
cleanup() {
  local status=$?
  set +e
  [ -z "$gateway" ] || kill "$gateway" 2>/dev/null
  [ -z "$radius" ] || kill "$radius" 2>/dev/null
  wait
  umount "$root/proc" "$work/net" 2>/dev/null
  rm -rf --one-file-system "$work"
  [ $status = 0 ] || echo "1 failed, $passed passed, in $((SECONDS - started)) s"
  exit $status
}

require() {
  local program
  [ "$(id -u)" = 0 ] || die "this test needs root: debootstrap and chroot"
  for program in debootstrap:debootstrap rpm:rpm dpkg-deb:dpkg systemd-analyze:systemd freeradius:freeradius ip:iproute2 openssl:openssl; do
    command -v "${program%%:*}" >/dev/null || die "this test needs ${program%%:*}: apt-get install ${program##*:}"
  done
}

build() {
  step "packages"
  make -s -C "$repo" packages DIST="$work/dist" PACKAGE_VERSION=1.2.3 PACKAGE_LICENSE=a-licence PACKAGE_VENDOR=a-vendor \
    PACKAGE_MAINTAINER='a maintainer <a@localhost>' >"$work/build" 2>&1 || { cat "$work/build" >&2 && die "make packages"; }
  make -s -C "$repo" packages DIST="$work/dist2" PACKAGE_VERSION=1.2.4 PACKAGE_ARCHS=amd64 >>"$work/build" 2>&1 || { cat "$work/build" >&2 && die "make packages"; }
  deb=$(echo "$work"/dist/*_amd64.deb) next=$(echo "$work"/dist2/*.deb) rpm=$(echo "$work"/dist/*.x86_64.rpm)
  check "the Debian package is one" dpkg-deb --info "$deb"
  check "its configuration is a conffile" test "$(dpkg-deb --info "$deb" conffiles)" = /etc/radsec-gw/radsec-gw.toml
  check "licence, vendor and maintainer are those given" test "$(rpm -qp --qf '%{license}, %{vendor}, %{packager}' "$rpm"), $(dpkg-deb -f "$deb" Maintainer)" = \
    "a-licence, a-vendor, a maintainer <a@localhost>, a maintainer <a@localhost>"
  check "without them there is no licence" test "$(rpm -qp --qf '%{license}' "$work"/dist2/*.rpm)" = ""
  test_arm64
  check "the README's commands for an SBOM of another binary" env -C "$repo" bash -euc \
    "$(readme 2 | sed "s#^make build#:#; s#\\\$PWD#$work/dist/amd64#; s#>sbom#>$work/sbom#")"
  check "  give the one of the package, but for the version" test "$(grep -c '"purl"' "$work/sbom.cdx.json")" = "$(grep -c '"purl"' "$work/dist/amd64/sbom.cdx.json")"
  check "the SBOM names every module with version and hash, as the schema wants it" \
    env RADSEC_GW="$work/dist/amd64/radsec-gw" go -C "$repo/packaging/sbom" test -count=1 .
  check "the RPM package lists its program" grep -qx /usr/bin/radsec-gw <(rpm -qlp "$rpm" 2>/dev/null)
  check "and its configuration as such" test "$(rpm -qcp "$rpm" 2>/dev/null)" = /etc/radsec-gw/radsec-gw.toml
}

# test_arm64 holds both architectures' packages to what they say they are.
test_arm64() {
  local arm64_deb arm64_rpm
  arm64_deb=$(echo "$work"/dist/*_arm64.deb) arm64_rpm=$(echo "$work"/dist/*.aarch64.rpm)
  check "packages for two architectures say which" test "$(dpkg-deb -f "$deb" Architecture) $(dpkg-deb -f "$arm64_deb" Architecture) $(rpm -qp --qf '%{arch} ' "$rpm" "$arm64_rpm")" = \
    "amd64 arm64 x86_64 aarch64 "
  dpkg-deb -x "$arm64_deb" "$work/arm64"
  # Bytes 18 and 19 of an ELF header are the machine: b7 00 is AArch64.
  check "the program for arm64 is one" test "$(od -An -tx1 -j18 -N2 "$work/arm64/usr/bin/radsec-gw")" = " b7 00"
  check "and has its own SBOM" test "$(sed -n 's/.*"content": "\(.*\)"$/\1/p' "$work/arm64/usr/share/doc/radsec-gw/sbom.cdx.json" | head -1)" = \
    "$(sha256sum <"$work/arm64/usr/bin/radsec-gw" | cut -d' ' -f1)"
}

test_unit() {
  step "the unit"
  check "no core file, a bound on memory, and a goal for the collector below it" test \
    "$(of_unit LimitCORE) $(of_unit MemoryMax) $(of_unit Environment)" = "0 2G GOMEMLIMIT=1536MiB"
  # `verify` wants the program to be there.
  sed "s#/usr/bin/radsec-gw#$work/dist/amd64/radsec-gw#" "$repo/packaging/radsec-gw.service" >"$work/radsec-gw.service"
  cp "$repo/packaging/radsec-gw.socket" "$work/radsec-gw.socket"
  check "systemd-analyze verify accepts it" systemd-analyze verify --man=no "$work/radsec-gw.service"
  unsaid "and has nothing to say about it" radsec-gw
  check "systemd-analyze verify accepts the socket unit" systemd-analyze verify --man=no "$work/radsec-gw.socket"
  unsaid "and has nothing to say about it" radsec-gw
  check "systemd-analyze security: exposure at most 1.5 of 10" \
    systemd-analyze security --offline=true --threshold=15 "$work/radsec-gw.service"
  grep "Overall exposure" "$work/out"
}

# In a network of its own, in which every port is free. within runs a program of this
# machine there, inside one of the fresh Debian, as_service one as the unit's user.
within() { nsenter --net="$work/net" "$@"; }
as_service() { within chroot --userspec="$(of_unit User):$(of_unit Group)" "$root" "$@"; }
inside() { within chroot "$root" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

make_debian() {
  step "a fresh Debian"
  touch "$work/net" && unshare --net="$work/net" true && within ip link set lo up
  debootstrap --variant=minbase --include=man-db,bash-completion,openssl bookworm "$root" >"$work/debootstrap" 2>&1 || { tail "$work/debootstrap" >&2 && die "debootstrap"; }
  mount -t proc proc "$root/proc"
  # Services are not started in a chroot, as in Debian's own builds.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  cp "$deb" "$next" "$root/"
}

# readme N prints the Nth block of commands of packaging/README.md.
readme() { awk -v n="$1" '/^```/ { inside = /^```sh/ && ++seen == n; next } inside' "$repo/packaging/README.md"; }

# configure does what the README says, to the line that starts the service, and sees that
# systemd would start it at boot.
configure() {
  check "the README's commands, to the one that starts the service" inside sh -euc "$(readme 4 | sed '/^systemctl/,$d')"
  check "that one is systemctl enable --now radsec-gw" test "$(readme 4 | sed -n 's/ *#.*//; /^systemctl/p')" = "systemctl enable --now radsec-gw"
  check "  which has systemd start it at boot" systemctl --root="$root" enable radsec-gw
}

# start_radius starts a FreeRADIUS with the secret that the README's commands made.
start_radius() {
  local n
  cp -r "$repo/docker/freeradius" "$work/raddb"
  sed -i "s#= /raddb#= $work/raddb#; s#= /tmp/radiusd#= $work/radiusd#; s#= /certs/#= $root/root/radsec-gw-certs/#" "$work/raddb/radiusd.conf"
  mkdir "$work/radiusd"
  RADSEC_GW_SECRET=$(cat "$root/etc/radsec-gw/freeradius.secret") nsenter --net="$work/net" freeradius -d "$work/raddb" -n radiusd -f -l stdout >"$work/radius" 2>&1 &
  radius=$!
  for n in $(seq 50); do grep -q "Ready to process" "$work/radius" && return || sleep 0.2; done
  cat "$work/radius" >&2
  die "FreeRADIUS does not start"
}

# test_share reads the manual pages as man does, and loads the completion as bash does.
test_share() {
  local shell
  check "man radsec-gw is there" inside env LC_ALL=C.UTF-8 MANPAGER=cat man radsec-gw
  printed "  and has the commands" "radsec-gw serve"
  check "man radsec-gw.toml is there" inside env LC_ALL=C.UTF-8 MANPAGER=cat man radsec-gw.toml
  printed "  and has the keys" "client_ca"
  check "man has nothing to say about them" inside sh -c \
    'for page in radsec-gw radsec-gw.toml; do LC_ALL=C.UTF-8 MANPAGER=cat man --warnings "$page" 2>&1 >/dev/null; done'
  check "  not even a warning" test ! -s "$work/out"
  check "bash completes what is installed" inside bash -c \
    '. /usr/share/bash-completion/bash_completion && { _completion_loader radsec-gw || [ $? = 124 ]; } &&
     COMP_WORDS=(radsec-gw se) COMP_CWORD=1 && _radsec_gw && [ "${COMPREPLY[*]}" = serve ] && complete -p radsec-gw'
  for shell in zsh/vendor-completions/_radsec-gw fish/vendor_completions.d/radsec-gw.fish; do
    check "there is $shell" test -s "$root/usr/share/$shell"
  done
}

# of_unit KEY prints what the unit says.
of_unit() { sed -n "s/^$1=//p" "$repo/packaging/radsec-gw.service"; }

# serve starts what ExecStart says, as User says, after making the folders that systemd would make.
serve() {
  local n
  install -d -m "$(of_unit RuntimeDirectoryMode)" "$root/run/$(of_unit RuntimeDirectory)"
  install -d -m "$(of_unit StateDirectoryMode)" "$root/var/lib/$(of_unit StateDirectory)"
  inside chown "$(of_unit User):$(of_unit Group)" "/run/$(of_unit RuntimeDirectory)" "/var/lib/$(of_unit StateDirectory)"
  nsenter --net="$work/net" chroot --userspec="$(of_unit User):$(of_unit Group)" "$root" $(of_unit ExecStart) 2>"$work/log" &
  gateway=$!
  for n in $(seq 50); do
    if inside radsec-gw probe status -quiet -certs /root/radsec-gw-certs >"$work/out" 2>&1; then return; fi
    sleep 0.2
  done
  cat "$work/log" "$work/out" >&2
  return 1
}

# tap_request sees a request through the socket where systemd's folder is. There
# is no server: the request is shown, and no answer is waited for.
tap_request() {
  local n tap
  nsenter --net="$work/net" chroot "$root" /usr/bin/radsec-gw tap -user bob >"$work/tap" 2>&1 &
  tap=$!
  for n in $(seq 50); do
    if grep -q Access-Request "$work/tap"; then break; fi
    inside radsec-gw probe access -quiet -timeout 200ms -certs /root/radsec-gw-certs \
      -user bob -password hello >/dev/null 2>&1 || true
  done
  check "radsec-gw tap shows a request to root" grep -q -- '-> Access-Request' "$work/tap"
  refuse "  and nothing to another user" chroot --userspec=nobody:nogroup "$root" /usr/bin/radsec-gw tap
  kill -TERM "$tap"
  wait "$tap" || die "SIGTERM: tap's exit status $?, expected 0"
}

# spool_request has accounting stored where systemd's folder is, while there is no server. The
# route is the last table of the configuration.
spool_request() {
  local n
  check "nothing is in /var/lib/radsec-gw without a spool" test -z "$(ls -A "$root/var/lib/radsec-gw")"
  printf 'spool = true\nspool_after = "1s"\n' >>"$root/etc/radsec-gw/radsec-gw.toml"
  kill -HUP "$gateway"
  for n in $(seq 50); do [ ! -S "$root/var/lib/radsec-gw/spool/control.sock" ] || break; sleep 0.2; done
  check "accounting is acknowledged without a server" inside radsec-gw probe accounting -quiet -certs /root/radsec-gw-certs -user bob -session-id 5f3a
  check "radsec-gw spool lists it for root" inside radsec-gw spool ls
  printed "  with its session" '"5f3a" *"bob"'
  refuse "  and for no other user" chroot --userspec=nobody:nogroup "$root" /usr/bin/radsec-gw spool ls -directory /var/lib/radsec-gw/spool
  check "the folder of the spool is closed to others" test "$(inside stat -c '%a %U %G' /var/lib/radsec-gw /var/lib/radsec-gw/spool | tr '\n' ' ')" = "700 radsec-gw radsec-gw 700 radsec-gw radsec-gw "
}

# spool_sent waits until FreeRADIUS has the record.
spool_sent() {
  local n
  for n in $(seq 120); do
    inside radsec-gw spool ls >"$work/ls" || return
    if grep -q 5f3a "$work/ls"; then sleep 0.5; else return 0; fi
  done
  return 1
}

# refuse_configuration starts the service's program with a mistake in its file:
# the unit must not start it again after that exit status.
refuse_configuration() {
  local status=0
  cp "$root/etc/radsec-gw/radsec-gw.toml" "$work/good.toml"
  echo 'unheard_of = 1' >>"$root/etc/radsec-gw/radsec-gw.toml"
  as_service $(of_unit ExecStart) 2>"$work/out" || status=$?
  cat "$work/good.toml" >"$root/etc/radsec-gw/radsec-gw.toml"
  check "a mistake ends it with the status that the unit does not restart after" test "$status" = "$(of_unit RestartPreventExitStatus)"
}

test_deb() {
  step "Debian package: install"
  check "it installs as the README says" inside sh -euc "$(readme 3)"
  printed "it says that it is not started" "not started yet"
  check "the user is a system user without login" grep -Eq '^radsec-gw:x:[0-9]{1,3}:.*nologin$' "$root/etc/passwd"
  check "the folder is closed to others" test "$(inside stat -c '%a %U %G' /etc/radsec-gw)" = "750 root radsec-gw"
  refuse "check refuses the configuration as it comes" inside radsec-gw check -config /etc/radsec-gw/radsec-gw.toml
  test_share
  step "run"
  configure
  refuse_configuration
  check "check accepts it after the five steps" inside radsec-gw check -config /etc/radsec-gw/radsec-gw.toml
  printed "  and says as which user it read the files" "read as *root (uid 0); whether radsec-gw"
  unsaid "  and finds nothing that the service cannot read, or that others can" "cannot read\|everybody on this machine\|is in the same directory"
  refuse "the service's user cannot read the CA's private key" as_service /bin/cat /root/radsec-gw-certs/ca.key
  check "  which is nowhere else" test -z "$(find "$root/etc" -name ca.key)"
  serve || die "the gateway does not answer Status-Server"
  check "ExecStart as the service's user answers Status-Server" test -n "$gateway"
  check "the folder of the tap's socket is closed to others" test "$(inside stat -c '%a %U %G' /run/radsec-gw)" = "700 radsec-gw radsec-gw"
  check "  and so is the socket" test "$(inside stat -c '%a %U %F' /run/radsec-gw/tap.sock)" = "600 radsec-gw socket"
  tap_request
  spool_request
  start_radius
  check "the README's login: an Access-Accept" inside sh -euc "$(readme 4 | sed '1,/^systemctl/d')"
  printed "  with FreeRADIUS's reply" "Hello, bob"
  check "the accounting that was stored is sent to FreeRADIUS" spool_sent
  kill -TERM "$gateway"
  wait "$gateway" || die "SIGTERM: exit status $?, expected 0"
  gateway=
  check "SIGTERM ends it with 0" true
  check "  and leaves no socket" test -z "$(ls -A "$root/run/radsec-gw")"
  rmdir "$root/run/radsec-gw" # as systemd does
  step "upgrade, remove, purge"
  echo "# changed" >>"$root/etc/radsec-gw/radsec-gw.toml"
  check "an upgrade keeps the changed configuration" inside sh -c 'dpkg -i /radsec-gw_1.2.4_amd64.deb'
  check "  and it is still there" grep -q "# changed" "$root/etc/radsec-gw/radsec-gw.toml"
  systemctl --root="$root" disable radsec-gw >/dev/null 2>&1 # as the package does where systemd runs
  check "removing takes the program" inside dpkg -r radsec-gw
  check "  and keeps the configuration" test ! -e "$root/usr/bin/radsec-gw" -a -e "$root/etc/radsec-gw/radsec-gw.toml"
  check "purging" inside dpkg -P radsec-gw
  check "  keeps secrets, for root only" test "$(inside stat -c '%a %G' /etc/radsec-gw /etc/radsec-gw/freeradius.secret | tr '\n' ' ')" = "750 root 640 root "
  check "  and the spool, for root only" test "$(inside stat -c '%a %U %G' /var/lib/radsec-gw /var/lib/radsec-gw/spool/key | tr '\n' ' ')" = "700 root root 600 root root "
  rm -rf "$root/etc/radsec-gw" "$root/var/lib/radsec-gw"
  find "$root/etc" "$root/usr" "$root/var" "$root/run" -path "$root/var/cache/man" -prune -o -name '*radsec-gw*' -print >"$work/remains" # man keeps a cache of its own
  check "  leaves no other file" diff "$work/remains" /dev/null
  refuse "  and no user" grep -q radsec-gw "$root/etc/passwd" "$root/etc/group"
}

# The RPM package on the same system, with a database of its own: its
# dependency has another name there.
test_rpm() {
  step "RPM package"
  check "it installs" rpm --root "$root" --nodeps -i "$rpm"
  check "the program runs" inside radsec-gw version
  check "its manual page is there" inside env LC_ALL=C.UTF-8 MANPAGER=cat man radsec-gw
  check "the folder is closed to others" test "$(inside stat -c '%a %U %G' /etc/radsec-gw)" = "750 root radsec-gw"
  check "removing it" rpm --root "$root" --nodeps -e radsec-gw
  refuse "  leaves no user" grep -q radsec-gw "$root/etc/passwd"
  check "  and no program" test ! -e "$root/usr/bin/radsec-gw"
}

# shellcheck source=packaging/test/versions.sh
. "$here/versions.sh"

trap cleanup EXIT
trap 'exit 1' INT TERM
require
test_versions
build
test_unit
make_debian
test_deb
test_rpm
step "done"
echo "$passed passed, 0 failed"
