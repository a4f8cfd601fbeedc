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
gateway=

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
  wait
  umount "$root/proc" 2>/dev/null
  rm -rf --one-file-system "$work"
  [ $status = 0 ] || echo "1 failed, $passed passed, in $((SECONDS - started)) s"
  exit $status
}

require() {
  local program
  [ "$(id -u)" = 0 ] || die "this test needs root: debootstrap and chroot"
  for program in debootstrap:debootstrap rpm:rpm dpkg-deb:dpkg systemd-analyze:systemd; do
    command -v "${program%%:*}" >/dev/null || die "this test needs ${program%%:*}: apt-get install ${program##*:}"
  done
}

build() {
  step "packages"
  make -s -C "$repo" packages DIST="$work/dist" PACKAGE_VERSION=1.0.0 >"$work/build" 2>&1 || { cat "$work/build" >&2 && die "make packages"; }
  make -s -C "$repo" packages DIST="$work/dist2" PACKAGE_VERSION=1.0.1 >>"$work/build" 2>&1 || { cat "$work/build" >&2 && die "make packages"; }
  make -s -C "$repo" packages DIST="$work/dist3" PACKAGE_VERSION=1.0.0 GOARCH=arm64 >>"$work/build" 2>&1 || { cat "$work/build" >&2 && die "make packages GOARCH=arm64"; }
  deb=$(echo "$work"/dist/*.deb) next=$(echo "$work"/dist2/*.deb) rpm=$(echo "$work"/dist/*.rpm)
  check "the Debian package is one" dpkg-deb --info "$deb"
  check "its configuration is a conffile" test "$(dpkg-deb --info "$deb" conffiles)" = /etc/radsec-gw/radsec-gw.toml
  check "one for another architecture says so" test "$(dpkg-deb -f "$work"/dist3/*.deb Architecture) $(rpm -qp --qf '%{arch}' "$work"/dist3/*.rpm)" = "arm64 aarch64"
  check "the RPM package lists its program" grep -qx /usr/bin/radsec-gw <(rpm -qlp "$rpm" 2>/dev/null)
  check "and its configuration as such" test "$(rpm -qcp "$rpm" 2>/dev/null)" = /etc/radsec-gw/radsec-gw.toml
}

test_unit() {
  step "the unit"
  # `verify` wants the program to be there.
  sed "s#/usr/bin/radsec-gw#$work/dist/radsec-gw#" "$repo/packaging/radsec-gw.service" >"$work/radsec-gw.service"
  cp "$repo/packaging/radsec-gw.socket" "$work/radsec-gw.socket"
  check "systemd-analyze verify accepts it" systemd-analyze verify --man=no "$work/radsec-gw.service"
  unsaid "and has nothing to say about it" radsec-gw
  check "systemd-analyze verify accepts the socket unit" systemd-analyze verify --man=no "$work/radsec-gw.socket"
  unsaid "and has nothing to say about it" radsec-gw
  check "systemd-analyze security: exposure at most 1.5 of 10" \
    systemd-analyze security --offline=true --threshold=15 "$work/radsec-gw.service"
  grep "Overall exposure" "$work/out"
}

inside() { chroot "$root" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

make_debian() {
  step "a fresh Debian"
  debootstrap --variant=minbase --include=man-db,bash-completion bookworm "$root" >"$work/debootstrap" 2>&1 || { tail "$work/debootstrap" >&2 && die "debootstrap"; }
  mount -t proc proc "$root/proc"
  # Services are not started in a chroot, as in Debian's own builds.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  cp "$deb" "$root/first.deb" && cp "$next" "$root/next.deb"
}

# configure does the five steps of radsec-gw.toml but the last.
configure() {
  inside radsec-gw certs -dir /root/radsec-gw-certs >/dev/null
  inside install -d -m 750 -g radsec-gw /etc/radsec-gw/certs
  inside sh -c 'for f in ca.pem server.pem server.key; do install -m 640 -g radsec-gw /root/radsec-gw-certs/$f /etc/radsec-gw/certs; done'
  echo 5f2c0d0f4c8f4cb4b2a3a5b9d8e7f601 >"$root/etc/radsec-gw/freeradius.secret"
  inside sh -c 'chgrp radsec-gw /etc/radsec-gw/freeradius.secret && chmod 640 /etc/radsec-gw/freeradius.secret'
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

# serve starts what ExecStart says, as User says, on ports that nothing else has,
# after making the folder that systemd would make.
serve() {
  local n
  install -d -m "$(of_unit RuntimeDirectoryMode)" "$root/run/$(of_unit RuntimeDirectory)"
  inside chown "$(of_unit User):$(of_unit Group)" "/run/$(of_unit RuntimeDirectory)"
  sed -i 's/^\[listen\]$/&\naddress = ["127.0.0.1:22083"]/' "$root/etc/radsec-gw/radsec-gw.toml"
  printf '\n[metrics]\naddress = ""\n' >>"$root/etc/radsec-gw/radsec-gw.toml"
  chroot --userspec="$(of_unit User):$(of_unit Group)" "$root" $(of_unit ExecStart) 2>"$work/log" &
  gateway=$!
  for n in $(seq 50); do
    if inside radsec-gw probe status -quiet -address 127.0.0.1:22083 -certs /root/radsec-gw-certs >"$work/out" 2>&1; then return; fi
    sleep 0.2
  done
  cat "$work/log" "$work/out" >&2
  return 1
}

# tap_request sees a request through the socket where systemd's folder is. There
# is no server: the request is shown, and no answer is waited for.
tap_request() {
  local n tap
  chroot "$root" /usr/bin/radsec-gw tap -user bob >"$work/tap" 2>&1 &
  tap=$!
  for n in $(seq 50); do
    if grep -q Access-Request "$work/tap"; then break; fi
    inside radsec-gw probe access -quiet -timeout 200ms -address 127.0.0.1:22083 -certs /root/radsec-gw-certs \
      -user bob -password hello >/dev/null 2>&1 || true
  done
  check "radsec-gw tap shows a request to root" grep -q -- '-> Access-Request' "$work/tap"
  refuse "  and nothing to another user" chroot --userspec=nobody:nogroup "$root" /usr/bin/radsec-gw tap
  kill -TERM "$tap"
  wait "$tap" || die "SIGTERM: tap's exit status $?, expected 0"
}

# refuse_configuration starts the service's program with a mistake in its file:
# the unit must not start it again after that exit status.
refuse_configuration() {
  local status=0
  cp "$root/etc/radsec-gw/radsec-gw.toml" "$work/good.toml"
  echo 'unheard_of = 1' >>"$root/etc/radsec-gw/radsec-gw.toml"
  chroot --userspec="$(of_unit User):$(of_unit Group)" "$root" $(of_unit ExecStart) 2>"$work/out" || status=$?
  cat "$work/good.toml" >"$root/etc/radsec-gw/radsec-gw.toml"
  check "a mistake ends it with the status that the unit does not restart after" test "$status" = "$(of_unit RestartPreventExitStatus)"
}

test_deb() {
  step "Debian package: install"
  check "it installs" inside dpkg -i /first.deb
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
  refuse "the service's user cannot read the CA's private key" chroot --userspec="$(of_unit User):$(of_unit Group)" "$root" /bin/cat /root/radsec-gw-certs/ca.key
  check "  which is nowhere else" test -z "$(find "$root/etc" -name ca.key)"
  serve || die "the gateway does not answer Status-Server"
  check "ExecStart as the service's user answers Status-Server" test -n "$gateway"
  check "the folder of the tap's socket is closed to others" test "$(inside stat -c '%a %U %G' /run/radsec-gw)" = "700 radsec-gw radsec-gw"
  check "  and so is the socket" test "$(inside stat -c '%a %U %F' /run/radsec-gw/tap.sock)" = "600 radsec-gw socket"
  tap_request
  kill -TERM "$gateway"
  wait "$gateway" || die "SIGTERM: exit status $?, expected 0"
  gateway=
  check "SIGTERM ends it with 0" true
  check "  and leaves no socket" test -z "$(ls -A "$root/run/radsec-gw")"
  rmdir "$root/run/radsec-gw" # as systemd does
  step "upgrade, remove, purge"
  check "an upgrade keeps the changed configuration" inside dpkg -i /next.deb
  check "  and it is still there" grep -q 22083 "$root/etc/radsec-gw/radsec-gw.toml"
  check "removing takes the program" inside dpkg -r radsec-gw
  check "  and keeps the configuration" test ! -e "$root/usr/bin/radsec-gw" -a -e "$root/etc/radsec-gw/radsec-gw.toml"
  check "purging" inside dpkg -P radsec-gw
  check "  keeps secrets, for root only" test "$(inside stat -c '%a %G' /etc/radsec-gw /etc/radsec-gw/freeradius.secret | tr '\n' ' ')" = "750 root 640 root "
  rm -rf "$root/etc/radsec-gw"
  check "  leaves no other file" test -z "$(find "$root/etc" "$root/usr" "$root/var" "$root/run" -name '*radsec-gw*' -print)"
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

trap cleanup EXIT
trap 'exit 1' INT TERM
require
build
test_unit
make_debian
test_deb
test_rpm
step "done"
echo "$passed passed, 0 failed"
