package dtls

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/interop/testbed"
)

const (
	patience  = testbed.Patience
	nasSecret = "nas-Secret-3" // radclient, eapol_test to radsecproxy
	udpSecret = "udp-Secret-1" // gateway to FreeRADIUS (../freeradius/radiusd.conf)
	coaSecret = "coa-Secret-2" // radclient to the gateway's [dynamic_authorization]
	keyPSK    = "c0ffee00112233445566778899aabbccddeeff5a4b3c2d1e0f102938475665ab"
)

// shared is what all tests of this package share.
var shared struct {
	dir        string // temporary; its certs has the certificates
	freeradius *testbed.FreeRADIUS
}

func TestMain(m *testing.M) {
	testbed.Main(func(dir string) (int, error) {
		if err := testbed.NeedPrograms("gcc", "freeradius", "radclient", "radsecproxy", "eapol_test", "openssl"); err != nil {
			return 1, err
		}
		shared.dir = dir
		if _, err := certs.WriteDir(inDir("certs"), certs.DirOptions{Clients: []string{"client", "nas", "single"}}); err != nil {
			return 1, err
		}
		if _, err := certs.WriteDir(inDir("other"), certs.DirOptions{Clients: []string{"client"}}); err != nil {
			return 1, err
		}
		var err error
		if shared.freeradius, err = testbed.StartFreeRADIUS(inDir("freeradius"), patience); err != nil {
			return 1, err
		}
		defer shared.freeradius.Stop(patience)
		return m.Run(), nil
	})
}

func inDir(name string) string { return filepath.Join(shared.dir, name) }

func portOf(conn *net.UDPConn) int { return conn.LocalAddr().(*net.UDPAddr).Port }

// listenUDP opens a port until the test ends.
func listenUDP(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// gatewayConf takes: directory of the certificates, keys of [listen], ports of the server for
// authentication and accounting, its secret, the secret of radclient, the PSK.
const gatewayConf = `
[listen]
address     = ["127.0.0.1:0"]
certificate = "%[1]s/server.pem"
private_key = "%[1]s/server.key"
client_ca   = "%[1]s/ca.pem"
%[2]s

[[listener]]
name      = "dtls"
transport = "dtls"
address   = ["127.0.0.1:0"]

[[client]]
name            = "single"
san_dns         = ["single"]
transports      = ["tls", "dtls"]
max_connections = 1

[[client]]
name        = "nas"
san_dns     = ["nas"]
transports  = ["dtls"]
reverse_coa = true

[[client]]
name       = "client"
san_dns    = ["client"]
transports = ["dtls"]

[[client]]
name         = "psk"
networks     = ["127.0.0.1"]
transports   = ["dtls"]
psk_identity = "nas7.campus"
psk          = "hex:%[7]s"
reverse_coa  = true

[[server]]
name      = "freeradius"
address   = "127.0.0.1"
auth_port = %[3]d
acct_port = %[4]d
coa_port  = 0
secret    = "%[5]s"
health    = "none"

[[route]]
realms  = ["*", ""]
packets = ["access", "accounting"]
servers = ["freeradius"]

[dynamic_authorization]
address = ["127.0.0.1:0"]

[[dynamic_authorization.sender]]
name     = "radclient"
networks = ["127.0.0.1"]
secret   = "%[6]s"

[metrics]
address = "127.0.0.1:0"

[log]
level = "debug"
`

// gateway is a running radsec-gw serve.
type gateway struct {
	*testbed.Gateway
	t              *testing.T
	tls, dtls, coa string // addresses
}

// startGateway runs a gateway, until the test ends, with further keys of [listen] and a server
// on two ports.
func startGateway(t *testing.T, listen string, auth, acct int) *gateway {
	t.Helper()
	file := filepath.Join(t.TempDir(), "radsec-gw.toml")
	text := fmt.Sprintf(gatewayConf, inDir("certs"), listen, auth, acct, udpSecret, coaSecret, keyPSK)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(exec.Command(testbed.Program(), "serve", "-config", file))
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{Gateway: testbed.NewGateway(t, p), t: t}
	g.tls = g.says(`"listening for RadSec".* address=(\S+)`)
	g.dtls = g.says(`"listening for RADIUS/DTLS".* address=(\S+)`)
	g.Address = g.says(`msg=serving.* metrics=(\S+)`)
	g.coa = g.says(`msg=serving.* dynamic_authorization=(\S+)`)
	return g
}

// newGateway is startGateway with FreeRADIUS.
func newGateway(t *testing.T) *gateway {
	t.Helper()
	return startGateway(t, "", shared.freeradius.Auth, shared.freeradius.Acct)
}

// says waits for a match of a regular expression in the log, and returns its group.
func (g *gateway) says(expression string) (group string) {
	g.t.Helper()
	line := regexp.MustCompile(expression)
	if !g.Output().Await(patience, func(text string) bool {
		m := line.FindStringSubmatch(text)
		if m != nil {
			group = m[1]
		}
		return m != nil
	}) {
		g.t.Fatalf("the gateway does not say %s; its output:\n%s", line, g.Printed())
	}
	return group
}

// expect fails the test unless a program ended with status and printed all of want.
func expect(t *testing.T, r testbed.Result, status int, want ...string) {
	t.Helper()
	if r.Status != status {
		t.Errorf("exit status %d, expected %d; it printed:\n%s", r.Status, status, r.Output)
	}
	for _, w := range want {
		if !strings.Contains(r.Output, w) {
			t.Errorf("the output lacks %q:\n%s", w, r.Output)
		}
	}
}
