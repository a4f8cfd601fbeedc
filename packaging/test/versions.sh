#!/bin/bash
# Holds packaging/version to its promise in a repository made for it: what was committed
# later sorts later, for dpkg and for rpm. Needs git and Debian's rpm. Sourced by run.sh.

# commit_at SECONDS commits in the repository "versions" at that time.
commit_at() {
  GIT_COMMITTER_DATE="@$((1795732752 + $1)) +0530" git -C "$work/versions" -c user.name=test -c user.email=test@localhost \
    commit -q --allow-empty -m "at $1"
}
version_now() { (cd "$work/versions" && "$repo/packaging/version" "$@"); }

# sorted_versions makes a history and prints the version of each step.
sorted_versions() {
  local at
  git init -q "$work/versions"
  for at in 0 1 2 3 60 3600 86400; do commit_at $at && version_now package; done
  git -C "$work/versions" tag v1.0.0-rc1 && version_now package
  for at in 90000 90001; do commit_at $at && version_now package; done
  git -C "$work/versions" tag v1.0.0 && version_now package
  for at in $(seq 100000 100010); do commit_at "$at" && version_now package; done
  echo changed >"$work/versions/file" && git -C "$work/versions" add file && version_now package
}

later() { dpkg --compare-versions "$2" gt "$1" && [ "$(rpm --eval "%{lua: print(rpm.vercmp('$2', '$1'))}")" = 1 ]; }

test_versions() {
  local before= version count=0
  step "versions"
  check "a folder without a repository has one" test "$(cd "$work" && "$repo/packaging/version" package)" = 0.0.0
  sorted_versions >"$work/versions.txt"
  while read -r version; do
    [ -z "$before" ] || later "$before" "$version" || die "$version does not sort after $before"
    before=$version count=$((count + 1))
  done <"$work/versions.txt"
  check "each of $count versions sorts after the one before, for dpkg and rpm" test "$count" = 23
  check "without a tag it begins with the commit's time in UTC" grep -Eqx '0\.0\.0\+20261126T223912\.g[0-9a-f]+' "$work/versions.txt"
  check "a tag is the version itself" grep -qx '1\.0\.0' "$work/versions.txt"
  check "and an image's tag has no character that it must not have" \
    grep -Eqx '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}' <(version_now)
}
