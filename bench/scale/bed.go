package scale

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"radsec-gw/bench/faults"
	"radsec-gw/bench/peers"
	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
	"radsec-gw/bench/scrape"
)

// bed is one gateway with its clients.
type bed struct {
	address string // RadSec
	metrics string // HTTP
	gateway *process.Process
	clients []*client
}

// start runs a gateway with many clients, servers and routes. The servers are one process,
// at one address. The gateway may have so many descriptors open; 0: as many as this process.
func start(ctx context.Context, env *faults.Env, size Size, descriptors, auth, acct int) (*bed, error) {
	dir, err := os.MkdirTemp(env.Dir, "gateway-")
	if err != nil {
		return nil, err
	}
	b := &bed{}
	for _, a := range []*string{&b.address, &b.metrics} {
		if *a, err = ports.Address(); err != nil {
			return nil, err
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "[listen]\naddress = [%q]\ncertificate = %q\nprivate_key = %q\nclient_ca = %q\n\n[metrics]\naddress = %q\n\n[tap]\nsocket = \"\"\n\n",
		b.address, env.Files.ServerCert, env.Files.ServerKey, env.Files.CA, b.metrics)
	for i := range size.Clients {
		fmt.Fprintf(&text, "[[client]]\nname = \"ap-%04d.campus.example.org\"\nnetworks = [\"%s/32\"]\n\n", i, source(i))
	}
	for i := range size.Servers {
		fmt.Fprintf(&text, "[[server]]\nname = \"radius-%04d.example.org\"\naddress = \"127.0.0.1\"\nauth_port = %d\nacct_port = %d\ncoa_port = 0\nsecret = %q\nhealth = \"none\"\n\n", i, auth, acct, secret)
	}
	for i := range size.Routes {
		fmt.Fprintf(&text, "[[route]]\nrealms = [%q]\npackets = [\"access\", \"accounting\"]\nservers = [\"radius-%04d.example.org\"]\n\n", realm(i), i%size.Servers)
	}
	file := filepath.Join(dir, "radsec-gw.toml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	command := []string{env.Gateway, "serve", "-config", file}
	if descriptors > 0 {
		command = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$@"`, descriptors), "sh"}, command...)
	}
	if b.gateway, err = process.Start(exec.Command(command[0], command[1:]...)); err != nil {
		return nil, err
	}
	err = b.gateway.Until(ctx, "listening", func() bool { return peers.Listening(b.address) })
	if err != nil {
		b.gateway.Kill()
		return nil, err
	}
	return b, nil
}

// source is the address that a client connects from, and realm that of a route.
func source(client int) string { return fmt.Sprintf("127.10.%d.%d", client/250, client%250+1) }

func realm(route int) string { return fmt.Sprintf("realm-%d.example.org", route) }

// stop closes the clients' connections and ends the gateway.
func (b *bed) stop() {
	for _, c := range b.clients {
		c.conn.Close()
	}
	_ = b.gateway.Stop(5 * time.Second)
}

// get reads a page, compressed if the gateway compresses it: net/http asks for that. The
// metrics are in the text format.
func (b *bed) get(ctx context.Context, path string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.metrics+path, nil)
	if err != nil {
		return "", err
	}
	response, err := httpClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %.100s", path, response.StatusCode, text)
	}
	return string(text), err
}

// counts says how many clients and servers have accepted logins, and how many routes there
// are.
func counts(page string) string {
	clients, servers := 0, 0
	all := scrape.Parse(page)
	for series := range all {
		switch {
		case strings.HasPrefix(series, "radsec_gw_requests_total{") && strings.Contains(series, `fate="relayed"`) && strings.Contains(series, `kind="access"`):
			clients++
		case strings.HasPrefix(series, "radsec_gw_server_answers_total{") && strings.Contains(series, `code="Access-Accept"`):
			servers++
		}
	}
	return fmt.Sprintf("%d clients, %d servers, %.0f routes", clients, servers, all.Sum("radsec_gw_routes"))
}
