package reverse

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"radsec-gw/bench/faults"
	"radsec-gw/bench/peers"
	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
)

// bed is one gateway.
type bed struct {
	address string // RadSec
	dynamic string // UDP, for CoA
	gateway *process.Process
}

// loadName is the NAS-Identifier of the other clients' connections, as configured.
const loadName = "of-the-load"

// nasName is the NAS-Identifier of a NAS.
func nasName(i int) string { return fmt.Sprintf("nas-%05d.example.org", i) }

// start runs a gateway in front of the answering server, whose clients all take CoA.
func start(ctx context.Context, env *faults.Env, size Size, auth, acct int) (*bed, error) {
	b := &bed{}
	var err error
	if b.address, err = ports.Address(); err != nil {
		return nil, err
	}
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b.dynamic = udp.LocalAddr().String()
	if err := udp.Close(); err != nil {
		return nil, err
	}
	text := b.config(env, size, auth, acct)
	dir, err := os.MkdirTemp(env.Dir, "gateway-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "radsec-gw.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if b.gateway, err = process.Start(exec.Command(env.Gateway, "serve", "-config", file)); err != nil {
		return nil, err
	}
	if err := b.gateway.Until(ctx, "listening", func() bool { return peers.Listening(b.address) }); err != nil {
		b.gateway.Kill()
		return nil, err
	}
	return b, nil
}

// config returns the gateway's configuration.
func (b *bed) config(env *faults.Env, size Size, auth, acct int) string {
	return fmt.Sprintf(`[listen]
address = [%q]
certificate = %q
private_key = %q
client_ca = %q
[dynamic_authorization]
address = [%q]
timeout = "2s"
[metrics]
address = ""
[tap]
socket = ""
# The load comes from 127.0.0.1 and its neighbors, the NASes from 127.77.0.0/16.
[[client]]
name = "nases"
networks = ["127.77.0.0/16"]
reverse_coa = true
max_connections = %d
[[client]]
name = "load"
networks = ["127.0.0.0/8"]
reverse_coa = true
nas_identifier = [%q]
[[server]]
name = "answering"
address = "127.0.0.1"
auth_port = %d
acct_port = %d
coa_port = 0
secret = %q
health = "none"
[[route]]
realms = ["*"]
packets = ["access", "accounting"]
servers = ["answering"]
`, b.address, env.Files.ServerCert, env.Files.ServerKey, env.Files.CA, b.dynamic, size.NASes+10, loadName, auth, acct, serverSecret)
}

func (b *bed) stop() { _ = b.gateway.Stop(5 * time.Second) }
