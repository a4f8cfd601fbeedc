#!/bin/bash
# Builds the image, runs the composed stack with it, and holds both to what
# docker/README.md promises. Needs root or a member of the group docker, and
# Debian's docker.io, docker-compose, freeradius, radsecproxy, eapoltest and
# prometheus. Everything that it makes is removed at the end. `STEP` lines say
# where it is; the last line counts.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
made_images=()
passed=0
name=radsec-gw-test-$$
image=radsec-gw:$name
started=$SECONDS

# shellcheck source=docker/test/substitutes.sh
. "$here/substitutes.sh"

step() { echo "STEP $((SECONDS - started))s $*"; }
ok() { passed=$((passed + 1)) && echo "   ok: $*"; }
die() {
  echo "FAILED: $*" >&2
  exit 1
}
# check TEXT COMMAND...: the command must succeed.
check() {
  local text=$1
  shift
  "$@" >"$work/out" 2>&1 || { cat "$work/out" >&2 && die "$text"; }
  ok "$text"
}
# printed TEXT PATTERN: the command before printed it.
printed() {
  grep -q "$2" "$work/out" || { cat "$work/out" >&2 && die "$1"; }
  ok "$1"
}
# await SECONDS TEXT COMMAND...: the command must succeed within the time.
await() {
  local until=$((SECONDS + $1)) text=$2
  shift 2
  until "$@" >"$work/out" 2>&1; do
    [ $SECONDS -lt $until ] || { cat "$work/out" >&2 && die "$text: not in time"; }
    sleep 0.5
  done
  ok "$text"
}

require() {
  local program
  docker info >/dev/null 2>&1 || die "this test needs a running Docker engine: apt-get install docker.io docker-compose, and start it"
  if docker compose version >/dev/null 2>&1; then compose=(docker compose)
  elif command -v docker-compose >/dev/null; then compose=(docker-compose)
  else die "this test needs Docker Compose: apt-get install docker-compose"; fi
  for program in freeradius:freeradius radsecproxy:radsecproxy eapol_test:eapoltest promtool:prometheus curl:curl; do
    command -v "${program%%:*}" >/dev/null || die "this test needs ${program%%:*}: apt-get install ${program##*:}"
  done
}

stack() { "${compose[@]}" -p "$name" -f "$repo/docker/compose.yaml" -f "$work/spool.yaml" "$@"; }
containers() { docker ps -aq --filter "label=com.docker.compose.project=$name" "$@"; }
container() { containers --filter "label=com.docker.compose.service=$1"; }

cleanup() {
  local status=$? job
  set +e
  [ $status = 0 ] || for job in radsec-gw freeradius prometheus; do
    [ -z "$(container $job)" ] || { echo "--- $job, last lines" && docker logs --tail 30 "$(container $job)" 2>&1; }
  done >&2
  for job in $(jobs -p); do kill "$job"; done
  wait
  [ -z "$(containers)" ] || docker rm -fv $(containers) >/dev/null
  docker volume rm $(docker volume ls -q --filter "label=com.docker.compose.project=$name") >/dev/null 2>&1
  docker network rm "${name}_default" >/dev/null 2>&1
  docker rm $(docker ps -aq --filter "ancestor=$image") >/dev/null 2>&1
  docker rmi -f "$image" >/dev/null 2>&1
  [ "${KEEP:-}" = 1 ] || remove_images
  rm -rf "$work"
  [ $status = 0 ] || echo "1 failed, $passed passed, in $((SECONDS - started)) s"
  exit $status
}

# remove_images removes the substitutes and the layers of the build's log, but no
# image that was there before.
remove_images() {
  local id
  for id in $(grep -oE -- '---> [0-9a-f]{12}$' "$work/build" 2>/dev/null | cut -c6- | tac); do
    grep -q "^sha256:$id" "$work/before" || docker rmi -f "$id" >/dev/null 2>&1
  done
  [ ${#made_images[@]} = 0 ] || docker rmi -f "${made_images[@]}" >/dev/null 2>&1
}

# free_port prints a TCP port that nothing listens on.
free_port() {
  local p
  while p=$((20000 + RANDOM % 12000)) && (: </dev/tcp/127.0.0.1/$p) 2>/dev/null; do :; done
  echo $p
}

. "$here/readme.sh"
. "$here/image.sh"
. "$here/logins.sh"
. "$here/outage.sh"
. "$here/watching.sh"

trap cleanup EXIT
trap 'exit 1' INT TERM
require
docker images -aq --no-trunc >"$work/before"
make_spool
make_images
test_image
test_logins
test_own_client
test_outage
test_watching
test_stop
step "done"
echo "$passed passed, 0 failed"
