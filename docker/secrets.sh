#!/bin/sh
# Makes the secrets of compose.yaml, each for one user in a volume that only the services
# that need it see: random ones, once, or copies of the operator's own files. It runs before
# all else in the image of FreeRADIUS, which has a shell.
set -eu
umask 077

# secret FILE USER OWN
secret() {
  if [ -s "$3" ]; then
    cat "$3" >"$1.new"
  elif [ -s "$1" ]; then
    return
  else
    printf %s $(od -An -v -N32 -tx1 /dev/urandom) >"$1.new"
  fi
  chmod 0400 "$1.new"
  chown "$2" "$1.new"
  mv "$1.new" "$1"
}

secret /radius/freeradius-udp 65532 /own/freeradius-udp # the gateway and FreeRADIUS
secret /grafana/grafana-admin 472 /own/grafana-admin    # Grafana
