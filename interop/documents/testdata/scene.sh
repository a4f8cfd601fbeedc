# Sourced by the script of a scene, as root in namespaces of its own (mount, net, pid),
# with SCENE, a folder, REPOSITORY, a copy with the built program, and TESTDATA, which has
# systemctl. What is mounted and started here ends with the script.
set -o pipefail
mount -t proc none /proc && ip link set lo up || exit 1
mount -t tmpfs none "$SCENE" && cp -a "$REPOSITORY" "$SCENE/repository" || exit 1
mkdir "$SCENE/etc" "$SCENE/log" || exit 1
cp -a /etc/freeradius "$SCENE/etc/" && cp -a /var/log/freeradius "$SCENE/log/" || exit 1
mount --bind "$SCENE/etc/freeradius" /etc/freeradius && mount --bind "$SCENE/log/freeradius" /var/log/freeradius && mount -t tmpfs none /run || exit 1
export PATH=$TESTDATA:$SCENE/repository:$PATH:/usr/sbin:/sbin
# sudo's root must not write into a user's cache.
[ -z "${SUDO_UID:-}" ] || export GOCACHE=$SCENE/cache
cd "$SCENE/repository" || exit 1

# begin N: command N begins; end STATUS: it has ended.
begin() { echo "@@@ $1"; }
end() { [ "$1" = 0 ] || { echo "status $1" && exit 1; }; }
# await COMMAND...: it succeeds within a minute.
await() {
  local until=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || { echo "not within a minute: $*" && exit 1; }
    sleep 0.2
  done
}
ready() { await curl -sf http://127.0.0.1:9713/readyz; }
# endless PATTERN COMMAND: it prints the pattern while others log in, goes on, and ends well
# at an interrupt.
endless() {
  local pid status until=$((SECONDS + 120))
  set -m # a process group of its own, and SIGINT is not ignored
  eval "$2" >"$SCENE/out" 2>&1 &
  pid=$!
  set +m
  until grep -q -- "$1" "$SCENE/out"; do
    [ $SECONDS -lt $until ] && kill -0 $pid || { cat "$SCENE/out" && echo "it did not print $1" && return 1; }
    radsec-gw probe access -user bob -password hello >/dev/null 2>&1
    sleep 0.2
  done
  kill -INT -- -$pid
  wait $pid
  status=$?
  # What it ran ended well, too, or go run would say so.
  case "$2 $status" in "go run "*" 1") grep -q "^exit status" "$SCENE/out" || status=0 ;; esac
  cat "$SCENE/out"
  return $status
}
