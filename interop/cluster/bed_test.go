package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/cluster/natstest"
	"radsec-gw/interop/testbed"
)

const (
	patience  = testbed.Patience
	udpSecret = "udp-Secret-1" // gateway to FreeRADIUS (../freeradius/radiusd.conf)
	coaSecret = "coa-Secret-2" // who sends CoA to the gateways' [dynamic_authorization]
)

// shared is what all tests of this package share.
var shared struct {
	dir string // temporary; its certs has the certificates

	// Two, so that one can be held up while users log in.
	logins, accounting *testbed.FreeRADIUS
}

func TestMain(m *testing.M) {
	natstest.Serve()
	testbed.Main(func(dir string) (int, error) {
		if err := testbed.NeedPrograms("freeradius", "radclient", "openssl"); err != nil {
			return 1, err
		}
		shared.dir = dir
		if _, err := certs.WriteDir(inDir("certs"), certs.DirOptions{Clients: []string{"client"}}); err != nil {
			return 1, err
		}
		var err error
		if shared.logins, err = testbed.StartFreeRADIUS(inDir("logins"), patience); err != nil {
			return 1, err
		}
		defer shared.logins.Stop(patience)
		if shared.accounting, err = testbed.StartFreeRADIUS(inDir("accounting"), patience); err != nil {
			return 1, err
		}
		defer shared.accounting.Stop(patience)
		return m.Run(), nil
	})
}

func inDir(name string) string { return filepath.Join(shared.dir, name) }

// gatewayConf takes: directory of the certificates, port for logins, port for accounting, their
// secret, secret for CoA, NATS servers, directory of the spool.
const gatewayConf = `
[listen]
address     = ["127.0.0.1:0"]
certificate = "%[1]s/server.pem"
private_key = "%[1]s/server.key"
client_ca   = "%[1]s/ca.pem"

[[client]]
name        = "client"
san_dns     = ["client"]
secret      = "radsec"
reverse_coa = true

[[server]]
name      = "logins"
address   = "127.0.0.1"
auth_port = %[2]d
acct_port = 0
coa_port  = 0
secret    = "%[4]s"
health    = "none"

[[server]]
name      = "accounting"
address   = "127.0.0.1"
auth_port = 0
acct_port = %[3]d
coa_port  = 0
secret    = "%[4]s"
health    = "none"

[[route]]
realms  = ["*", ""]
packets = ["access"]
servers = ["logins"]

[[route]]
realms      = ["*", ""]
packets     = ["accounting"]
servers     = ["accounting"]
spool       = true
spool_after = "300ms"

[dynamic_authorization]
address = ["127.0.0.1:0"]

[[dynamic_authorization.sender]]
name     = "portal"
networks = ["127.0.0.1"]
secret   = "%[5]s"

[cluster]
nats   = ["%[6]s"]
prefix = "interop"

[spool]
directory   = "%[7]s"
store       = "jetstream"
replicas    = 3
replay_rate = 10000

[metrics]
address = "127.0.0.1:0"
`

// gateway is a running radsec-gw serve.
type gateway struct {
	*testbed.Gateway
	t           *testing.T
	radsec, coa string // addresses
	disk        string // directory of the spool
}

func startGateway(t *testing.T, servers *natstest.Cluster) *gateway {
	t.Helper()
	dir := t.TempDir()
	disk, file := filepath.Join(dir, "spool"), filepath.Join(dir, "radsec-gw.toml")
	text := fmt.Sprintf(gatewayConf, inDir("certs"), shared.logins.Auth, shared.accounting.Acct, udpSecret, coaSecret,
		strings.Join(servers.URLs(), `", "`), disk)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(exec.Command(testbed.Program(), "serve", "-config", file))
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{Gateway: testbed.NewGateway(t, p), t: t, disk: disk}
	g.radsec = g.says(`"listening for RadSec".* address=(\S+)`)
	g.Address = g.says(`msg=serving.* metrics=(\S+)`)
	g.coa = g.says(`msg=serving.* dynamic_authorization=(\S+)`)
	return g
}

// startThree starts three gateways and three NATS servers, until the test ends, and waits until
// the gateways share.
func startThree(t *testing.T) (list []*gateway, servers *natstest.Cluster) {
	t.Helper()
	servers = natstest.Start(t, 3)
	for range 3 {
		list = append(list, startGateway(t, servers))
	}
	awaitSharing(t, list)
	return list, servers
}

// awaitSharing waits until gateways know each other, can store, and one of them leads.
func awaitSharing(t *testing.T, list []*gateway) {
	t.Helper()
	if !testbed.Eventually(2*patience, func() bool {
		leads := 0.0
		for _, g := range list {
			m := g.Metrics()
			if m.Sum("radsec_gw_cluster_replicas") != float64(len(list)-1) || m.Sum("radsec_gw_spool_up") != 1 {
				return false
			}
			leads += m.Sum("radsec_gw_spool_leads")
		}
		return leads == 1
	}) {
		t.Fatalf("expected that %d gateways know each other and one leads within %v", len(list), 2*patience)
	}
}

// leader returns which gateway sends the records of all, -1 if none does.
func leader(list []*gateway) int {
	for i, g := range list {
		if g.Metrics().Sum("radsec_gw_spool_leads") == 1 {
			return i
		}
	}
	return -1
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

// percentile returns what a share of sorted times do not exceed.
func percentile(took []time.Duration, share float64) time.Duration {
	return took[min(len(took)-1, int(share*float64(len(took))))]
}
