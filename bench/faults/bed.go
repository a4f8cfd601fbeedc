package faults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"radsec-gw/bench/peers"
)

// secret is shared by the gateway and the servers of the trials.
const secret = "secret-of-the-faulty-servers"

// bed is the gateway of one trial.
type bed struct {
	dir     string
	address string // RadSec
	metrics string // HTTP
	gateway *peers.Process
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
		if *a, err = peers.FreeAddress(); err != nil {
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
	if b.gateway, err = peers.Start(dir, e.Gateway, "serve", "-config", file); err != nil {
		return nil, err
	}
	err = b.gateway.Until(ctx, "listening", func() bool {
		c, err := net.DialTimeout("tcp4", b.address, time.Second)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
	if err != nil {
		b.gateway.Stop()
		return nil, err
	}
	return b, nil
}

// counters reads the gateway's metrics: the value of each series, summed over
// those whose name and labels hold all of the words.
func (b *bed) counters() (func(words ...string) float64, error) {
	client := http.Client{Timeout: 10 * time.Second}
	r, err := client.Get("http://" + b.metrics + "/metrics")
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	type series struct {
		name  string
		value float64
	}
	var all []series
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() {
		name, text, ok := strings.Cut(lines.Text(), "} ")
		if v, err := strconv.ParseFloat(text, 64); ok && err == nil {
			all = append(all, series{name, v})
		}
	}
	return func(words ...string) float64 {
		total := 0.0
	next:
		for _, s := range all {
			for _, w := range words {
				if !strings.Contains(s.name, w) {
					continue next
				}
			}
			total += s.value
		}
		return total
	}, lines.Err()
}

// live is how many transmissions of clients' requests a server has got.
func (b *bed) live(server string) (float64, error) {
	sum, err := b.counters()
	if err != nil {
		return 0, err
	}
	label := fmt.Sprintf("server=%q", server)
	return sum("radsec_gw_server_requests_sent_total{", label) + sum("radsec_gw_server_requests_resent_total{", label) -
		sum("radsec_gw_server_probes_total{", label), nil
}

// faultyProcess runs a faulty server as a process of its own on the given ports.
func (e *Env) faultyProcess(ctx context.Context, name string, auth, acct int) (*peers.Process, error) {
	dir, err := os.MkdirTemp(e.Dir, name+"-")
	if err != nil {
		return nil, err
	}
	p, err := peers.Start(dir, e.Bench, "faulty", "-auth", fmt.Sprint("127.0.0.1:", auth), "-acct", fmt.Sprint("127.0.0.1:", acct), "-secret", secret)
	if err != nil {
		return nil, err
	}
	if err := p.Until(ctx, "answering", func() bool { return strings.Contains(p.Log(), "answering on") }); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// freePorts finds UDP ports of 127.0.0.1 that nobody uses.
func freePorts(n int) ([]int, error) {
	var all []int
	for range n {
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer c.Close() // all are held until the last is found
		all = append(all, c.LocalAddr().(*net.UDPAddr).Port)
	}
	return all, nil
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
