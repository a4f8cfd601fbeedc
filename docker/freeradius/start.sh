#!/bin/sh
# Runs FreeRADIUS in the foreground with the configuration beside this file.
# The secret is in a file; FreeRADIUS reads only the environment.
set -eu
RADSEC_GW_SECRET=$(cat /run/secrets/freeradius-udp)
export RADSEC_GW_SECRET
mkdir -p /tmp/radiusd
exec freeradius -d /raddb -n radiusd -f -l stdout
