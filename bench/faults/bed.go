package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"radsec-gw/bench/peers"
	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
	"radsec-gw/bench/scrape"
)

// secret is shared by the gateway and the servers of the trials.
const secret = "secret-of-the-faulty-servers"

// bed is the gateway of one trial.
type bed struct {
	dir     string
	address string // RadSec
	metrics string // HTTP
	gateway *process.Process
}

// upstream is a server for the gateway's configuration.
type upstream struct {
	name       string
	auth, acct int
	more       string // further lines of [[server]]
}

// start runs the gateway in front of the servers; routes are its [[route]] tables.
func (e *Env) start(ctx context.Context, servers []upstream, routes string) (*bed, error) {
	dir, err := os.MkdirTemp(e.Dir, "trial-")
	if err != nil {
		return nil, err
	}
	b := &bed{dir: dir}
	for _, a := range []*string{&b.address, &b.metrics} {
		if *a, err = ports.Address(); err != nil {
			return nil, err
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "[listen]\naddress = [%q]\ncertificate = %q\nprivate_key = %q\nclient_ca = %q\n\n[metrics]\naddress = %q\n\n",
		b.address, e.Files.ServerCert, e.Files.ServerKey, e.Files.CA, b.metrics)
	text.WriteString("[[client]]\nname = \"faults\"\nnetworks = [\"127.0.0.0/8\"]\nmax_connections = 1000\n\n")
	for _, s := range servers {
		fmt.Fprintf(&text, "[[server]]\nname = %q\naddress = \"127.0.0.1\"\nauth_port = %d\nacct_port = %d\ncoa_port = 0\nsecret = %q\n%s\n", s.name, s.auth, s.acct, secret, s.more)
	}
	text.WriteString(routes)
	file := filepath.Join(dir, "radsec-gw.toml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	if b.gateway, err = process.Start(exec.Command(e.Gateway, "serve", "-config", file)); err != nil {
		return nil, err
	}
	err = b.gateway.Until(ctx, "listening", func() bool { return peers.Listening(b.address) })
	if err != nil {
		b.gateway.Kill()
		return nil, err
	}
	return b, nil
}

// stop ends the gateway.
func (b *bed) stop() { _ = b.gateway.Stop(2 * time.Second) }

// counters reads the gateway's metrics.
func (b *bed) counters(ctx context.Context) (scrape.Metrics, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return scrape.Get(ctx, "http://"+b.metrics+"/metrics")
}

// sentTo returns how many transmissions of clients' requests a server was sent.
func (b *bed) sentTo(ctx context.Context, server string) (float64, error) {
	m, err := b.counters(ctx)
	if err != nil {
		return 0, err
	}
	label := fmt.Sprintf("server=%q", server)
	return m.Sum("radsec_gw_server_requests_sent_total", label) + m.Sum("radsec_gw_server_requests_resent_total", label) -
		m.Sum("radsec_gw_server_probes_total", label), nil
}

// startFaulty runs a faulty server as a process of its own on the given ports.
func (e *Env) startFaulty(auth, acct int) (*process.Process, error) {
	p, err := process.Start(exec.Command(e.Bench, "faulty", "-auth", fmt.Sprint("127.0.0.1:", auth), "-acct", fmt.Sprint("127.0.0.1:", acct), "-secret", secret))
	if err != nil {
		return nil, err
	}
	if err := p.Await("answering on", 10*time.Second); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// pause waits for d.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return errors.New("interrupted")
	}
}
