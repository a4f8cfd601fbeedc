package spool

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/interop/testbed"
)

const (
	patience  = testbed.Patience
	udpSecret = "udp-Secret-1" // gateway to FreeRADIUS (../freeradius/radiusd.conf)
)

// shared is what all tests of this package share.
var shared struct {
	dir        string // temporary; its certs has the certificates
	freeradius *testbed.FreeRADIUS
}

func TestMain(m *testing.M) {
	testbed.Main(func(dir string) (int, error) {
		if err := testbed.NeedPrograms("freeradius", "openssl", "unshare", "mount"); err != nil {
			return 1, err
		}
		shared.dir = dir
		if _, err := certs.WriteDir(inDir("certs"), certs.DirOptions{Clients: []string{"client"}}); err != nil {
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

// gatewayConf takes: address, directory of the certificates, port for accounting, its secret,
// directory of the spool, further keys of [spool].
const gatewayConf = `
[listen]
address     = ["%[1]s"]
certificate = "%[2]s/server.pem"
private_key = "%[2]s/server.key"
client_ca   = "%[2]s/ca.pem"

[[client]]
name    = "client"
san_dns = ["client"]
secret  = "radsec"

[[server]]
name      = "freeradius"
address   = "127.0.0.1"
acct_port = %[3]d
secret    = "%[4]s"
health    = "none"

[[route]]
realms      = ["*", ""]
packets     = ["accounting"]
servers     = ["freeradius"]
spool       = true
spool_after = "200ms"

[spool]
directory     = "%[5]s"
replay_rate   = 10000
replay_window = 64
%[6]s

[metrics]
address = "127.0.0.1:0"
`

// gateway is a radsec-gw serve that can be killed and started again, with the same address and
// spool.
type gateway struct {
	t              *testing.T
	file, address  string
	spoolDirectory string
	*testbed.Gateway
	process *process.Process
}

// newGateway writes the configuration of a gateway.
func newGateway(t *testing.T, directory, keys string) *gateway {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{t: t, file: filepath.Join(t.TempDir(), "radsec-gw.toml"), address: l.Addr().String(), spoolDirectory: directory}
	l.Close()
	text := fmt.Sprintf(gatewayConf, g.address, inDir("certs"), shared.freeradius.Acct, udpSecret, directory, keys)
	if err := os.WriteFile(g.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if g.process != nil {
			g.process.Stop(patience)
		}
	})
	return g
}

// serving is the gateway's line about the addresses that it serves.
var serving = regexp.MustCompile(`msg=serving.* metrics=(\S+)`)

// start runs the gateway.
func (g *gateway) start(wrapper ...string) {
	g.t.Helper()
	args := append(wrapper, testbed.Program(), "serve", "-config", g.file)
	p, err := process.Start(exec.Command(args[0], args[1:]...))
	if err != nil {
		g.t.Fatal(err)
	}
	g.process, g.Gateway = p, &testbed.Gateway{Process: p, T: g.t, HTTP: http.Client{Timeout: patience}}
	if !p.Output().Await(patience, func(text string) bool {
		m := serving.FindStringSubmatch(text)
		if m != nil {
			g.Gateway.Address = m[1]
		}
		return m != nil
	}) {
		g.t.Fatalf("the gateway does not serve; its output:\n%s", p.Printed())
	}
}

// kill ends the gateway without any warning (SIGKILL).
func (g *gateway) kill() {
	g.process.Kill()
	<-g.process.Exited()
}

// emptied waits until the spool has no records.
func (g *gateway) emptied(within time.Duration) bool {
	return testbed.Eventually(within, func() bool { return g.Metrics().Sum("radsec_gw_spool_records") == 0 })
}
