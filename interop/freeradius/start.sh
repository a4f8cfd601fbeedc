#!/bin/sh
# Lays a FreeRADIUS test server out in DIR and runs it in the foreground: start.sh DIR
# Needs Debian's freeradius and openssl. As root the folder must not be writable by others.
# The ports are the README's unless AUTH_PORT, ACCT_PORT, COA_PORT, STATUS_PORT and COA_CLIENT_PORT say others.
set -eu
export AUTH_PORT="${AUTH_PORT:-21812}" ACCT_PORT="${ACCT_PORT:-21813}" COA_PORT="${COA_PORT:-23799}"
export STATUS_PORT="${STATUS_PORT:-28121}" COA_CLIENT_PORT="${COA_CLIENT_PORT:-23800}"
here=$(cd "$(dirname "$0")" && pwd)
dir=$1
mkdir -p "$dir/users" "$dir/certs" "$dir/log" "$dir/run"
cp "$here/radiusd.conf" "$dir/"
cp "$here/users/"* "$dir/users/"
cd "$dir/certs"
if [ ! -f eap-ca.pem ]; then
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=EAP test CA' -keyout eap-ca.key -out eap-ca.pem 2>/dev/null
  for who in server client; do
    openssl req -newkey rsa:2048 -nodes -subj "/CN=eap-$who.example.org" -keyout eap-$who.key -out eap-$who.csr 2>/dev/null
    printf 'subjectAltName=DNS:eap-%s.example.org\nextendedKeyUsage=serverAuth,clientAuth\n' $who >eap-$who.ext
    openssl x509 -req -in eap-$who.csr -CA eap-ca.pem -CAkey eap-ca.key -CAcreateserial -days 3650 -extfile eap-$who.ext -out eap-$who.pem 2>/dev/null
  done
fi
chmod -R go-w "$dir"
RADDB=$dir exec freeradius -d "$dir" -n radiusd -f -l stdout
