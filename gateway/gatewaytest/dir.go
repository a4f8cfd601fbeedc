package gatewaytest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"radsec-gw/bench/material"
)

// config has places for the RadSec address, the server's port, its secret and the
// address of the HTTP side.
const config = `[listen]
address = [%q]
certificate = "certs/dev/server.pem"
private_key = "certs/dev/server.key"
client_ca = "certs/dev/ca.pem"
[[client]]
name = "campus"
networks = ["127.0.0.0/8"]
[[server]]
name = "udp"
address = "127.0.0.1"
auth_port = %d
acct_port = 0
coa_port = 0
secret = %q
health = "none"
[[route]]
realms = ["example.org"]
packets = ["access"]
servers = ["udp"]
[metrics]
address = %q
[log]
level = "debug"
requests = true
[tap]
socket = ""
`

// TwoServers is a configuration for Dir with three clients, two servers and two routes,
// for tests that only read it.
const TwoServers = `[listen]
certificate = "certs/dev/server.pem"
private_key = "certs/dev/server.key"
client_ca = "certs/dev/ca.pem"
[[client]]
name = "campus"
networks = ["192.0.2.0/24", "::1"]
san_dns = ["*.campus.example"]
packets = ["access", "coa"]
[[client]]
name = "pinned"
fingerprints = ["12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0:12:34:56:78:9A:BC:DE:F0"]
[[client]]
name = "rest"
[[server]]
name = "a"
address = "127.0.0.1"
secret = "0123456789abcdef"
[[server]]
name = "b"
address = "::1"
auth_port = 11812
secret = "0123456789ab"
[[route]]
realms = ["*", "~^lab", "*.example.org"]
servers = ["a"]
[[route]]
realms = ["", "example.org", "*.b.example.org"]
packets = ["disconnect", "access", "coa"]
servers = ["a", "b"]
balance = "sticky"
on_unreachable = "silent"
`

// Config is a configuration for Dir whose one server is at a UDP port of 127.0.0.1, and
// which listens on ports of the system's choice.
func Config(udp int) string { return ConfigAt("127.0.0.1:0", udp, "127.0.0.1:0") }

// ConfigAt is Config with the addresses for RadSec and for the HTTP side.
func ConfigAt(radsec string, udp int, http string) string {
	return fmt.Sprintf(config, radsec, udp, Secret, http)
}

// Dir makes a directory with development certificates in certs/dev and the configuration
// text in the file c.toml.
func Dir(t testing.TB, text string) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	if _, err := material.Write(filepath.Join(dir, "certs/dev")); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "c.toml")
	WriteFile(t, file, []byte(text))
	return dir, file
}

// WriteFile writes a file that only its owner can read.
func WriteFile(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Replace puts a file that only its owner can read in the place of another at once, as
// whoever renews certificates should: nobody reads it half written.
func Replace(t testing.TB, path string, b []byte) {
	t.Helper()
	WriteFile(t, path+".new", b)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
