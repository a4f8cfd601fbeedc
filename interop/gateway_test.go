package interop

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"radsec-gw/certs"
	"radsec-gw/interop/testbed"
	"radsec-gw/probe"
)

func (b *bed) startGateway() error { return b.serve(b.gatewayConfig()) }

// serve makes development certificates, writes the configuration and runs radsec-gw serve as an
// operator would.
func (b *bed) serve(config string) error {
	if _, err := certs.WriteDir(b.path("certs"), certs.DirOptions{Clients: []string{"client"}}); err != nil {
		return err
	}
	file := b.path("radsec-gw.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	if r := run(patience, "", testbed.Program(), "check", "-config", file); r.Status != 0 {
		return fmt.Errorf("radsec-gw check: %s", r.Output)
	}
	p, err := start(nil, testbed.Program(), "serve", "-config", file)
	if err != nil {
		return err
	}
	b.gateway = p
	return b.awaitAnswer(patience)
}

// gatewayConfig is the file. FreeRADIUS's CoA port has a secret of its own, so it is a server of its
// own. The gateway logs as much as it can, because its output is searched for secrets.
func (b *bed) gatewayConfig() string {
	return fmt.Sprintf(`
[listen]
address     = ["127.0.0.1:%d"]
certificate = "certs/server.pem"
private_key = "certs/server.key"
client_ca   = "certs/ca.pem"

[[client]]
name     = "interop"
networks = ["127.0.0.0/8"]

[[server]]
name      = "freeradius"
address   = "127.0.0.1"
auth_port = %d
acct_port = %d
coa_port  = 0
secret    = "%s"

[[server]]
name      = "freeradius-coa"
address   = "127.0.0.1"
auth_port = 0
acct_port = 0
coa_port  = %d
secret    = "%s"
health    = "none"

[[route]]
realms  = ["*", ""]
packets = ["access", "accounting"]
servers = ["freeradius"]

[[route]]
realms  = ["*", ""]
packets = ["coa", "disconnect"]
servers = ["freeradius-coa"]

[metrics]
address = "127.0.0.1:%d"

[log]
level = "debug"
`, b.ports.radsec, b.ports.auth, b.ports.acct, udpSecret, b.ports.coa, coaSecret, b.ports.metrics)
}

// oneServerConf is a gateway whose one server gets everything. It takes: the server's name, port for
// RadSec, the server's authentication, accounting and CoA ports, its secret, port for metrics.
const oneServerConf = `
[listen]
address     = ["127.0.0.1:%[2]d"]
certificate = "certs/server.pem"
private_key = "certs/server.key"
client_ca   = "certs/ca.pem"

[[client]]
name     = "interop"
networks = ["127.0.0.0/8"]

[[server]]
name      = "%[1]s"
address   = "127.0.0.1"
auth_port = %[3]d
acct_port = %[4]d
coa_port  = %[5]d
secret    = "%[6]s"
health    = "none"

[[route]]
realms  = ["*", ""]
packets = ["access", "accounting", "coa", "disconnect"]
servers = ["%[1]s"]

[metrics]
address = "127.0.0.1:%[7]d"
`

// awaitAnswer probes until the gateway answers.
func (b *bed) awaitAnswer(within time.Duration) error {
	var last testbed.Result
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		if last = b.probe(probe.Config{Kind: probe.Status, Timeout: time.Second}); last.Status == 0 {
			return nil
		}
		select {
		case <-b.gateway.Exited():
			printed := b.gateway.Printed()
			return fmt.Errorf("radsec-gw serve ended (%v); its output:\n%s", b.gateway.Err(), printed)
		case <-time.After(50 * time.Millisecond): // from outside nothing reports that a port is open now
		}
	}
	printed := b.gateway.Printed()
	return fmt.Errorf("no answer to Status-Server within %v: %s\nthe gateway's output:\n%s", within, last.Output, printed)
}

// probe sends what cfg says to the bed's gateway, over RADIUS/1.0 unless cfg has another version.
func (b *bed) probe(cfg probe.Config) testbed.Result {
	cfg.Version = cmp.Or(cfg.Version, "1.0")
	return probeUntil(context.Background(), b.ports.radsec, b.path("certs"), cfg)
}

// probeUntil sends what cfg says to the gateway on a port of this machine with the certificates of
// dir, and waits for the reply until ctx ends. The result is that of radsec-gw probe: what it prints,
// and its exit status.
func probeUntil(ctx context.Context, port int, dir string, cfg probe.Config) testbed.Result {
	cfg.Address = fmt.Sprintf("127.0.0.1:%d", port)
	cfg.CAFile, cfg.CertFile, cfg.KeyFile = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key")
	var printed bytes.Buffer
	if _, err := probe.Run(ctx, cfg, &printed); err != nil {
		fmt.Fprintln(&printed, err)
		return testbed.Result{Status: 1, Output: printed.String()}
	}
	return testbed.Result{Output: printed.String()}
}
