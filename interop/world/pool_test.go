//go:build linux

package world

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"layeh.com/radius"

	"radsec-gw/certs"
	"radsec-gw/interop/testbed"
)

// holders is how many certificates share a pool.
const holders = 1000

// poolConf has a server beside the gateway, for clients whose requests come from a pool.
const poolConf = `
[[server]]
name = "beside"
address = "127.0.0.1"
acct_port = 0
coa_port = 0
secret = "` + secret + `"

[[route]]
realms = ["*"]
packets = ["access"]
servers = ["beside"]
`

// poolClients is the client of all certificates.
const poolClients = `
[[client]]
name = "access-points"
networks = ["127.0.0.0/8"]
source_pool = "127.128.0.0/9"
max_connections = 0
`

// A thousand certificates have an address each of one pool: that which check -clients prints,
// the same after a restart and at a second gateway. What one costs while it is connected and
// has sockets, beside a client without a source, is at most 30 kB.
// Rules: ID7, ID9
func TestThousandCertificatesHaveAddresses(t *testing.T) {
	all := issue(t, holders)
	first, second := newWorld(t), newWorld(t)
	want := first.printed(t, all)
	if len(want) != holders {
		t.Fatalf("check -clients prints %d addresses for %d certificates", len(want), holders)
	}
	distinct := map[netip.Addr]bool{}
	for _, a := range want {
		distinct[a] = true
	}
	t.Logf("%d certificates have %d addresses of 127.128.0.0/9", holders, len(distinct))
	if len(distinct) < holders-3 {
		t.Errorf("%d certificates have only %d addresses", holders, len(distinct))
	}
	without := first.memoryOf(t, all, "", nil, "")
	with := first.memoryOf(t, all, poolClients, want, "")
	again := first.memoryOf(t, all, poolClients, want, "") // after a restart
	second.memoryOf(t, all, poolClients, want, "")
	each := (min(with, again) - without) / holders
	t.Logf("resident with %d connected clients: %d kB without sources, %d kB with one each: %.1f kB a client", holders, without>>10, min(with, again)>>10, float64(each)/1024)
	if each > 30<<10 {
		t.Errorf("a client with a source costs %d bytes, expected at most 30 kB", each)
	}
}

// Where the process may not open a socket for each source at once, those that have been idle
// longest are closed for others, and everybody is served.
// Rules: ID9
func TestMoreSourcesThanSockets(t *testing.T) {
	all := issue(t, holders)
	w := newWorld(t)
	w.memoryOf(t, all, poolClients, w.printed(t, all), "--nofile=1650")
}

// holder is a client certificate.
type holder struct {
	name string
	pair *certs.Pair
}

// issue makes n client certificates of the CA that the gateways trust.
func issue(t *testing.T, n int) (all []holder) {
	t.Helper()
	ca, err := certs.LoadSigner(built.files.CA, filepath.Join(filepath.Dir(built.files.CA), "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		name := fmt.Sprintf("ap%d", i)
		pair, err := ca.Client(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, holder{name, pair})
	}
	return all
}

// printed returns the addresses that check -clients prints, by name.
func (w *world) printed(t *testing.T, all []holder) map[string]netip.Addr {
	t.Helper()
	w.configure(setup{clients: poolClients, only: true, rest: poolConf})
	args := []string{"check", "-config", w.path("radsec-gw.toml"), "-clients"}
	for _, h := range all {
		file := w.path(h.name + ".pem")
		if err := os.WriteFile(file, h.pair.CertPEM(), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	out, err := exec.Command(testbed.Program(), args...).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "has the same address") {
		t.Fatalf("check -clients: %v: %s", err, out)
	}
	found := map[string]netip.Addr{}
	for _, m := range regexp.MustCompile(`(?m)/(ap\d+)\.pem .* access-points +(127\.\d+\.\d+\.\d+)$`).FindAllStringSubmatch(string(out), -1) {
		found[m[1]] = netip.MustParseAddr(m[2])
	}
	return found
}

// memoryOf starts a gateway, connects with each certificate, sends a request on each
// connection, checks where the server saw it come from unless want is nil, and returns the
// gateway's resident memory while all are connected.
func (w *world) memoryOf(t *testing.T, all []holder, clients string, want map[string]netip.Addr, limits string) int64 {
	t.Helper()
	server := w.serverAt(w.gateway, "127.0.0.1:1812", nil)
	defer server.close()
	g := w.start(setup{clients: clients, only: clients != "", listen: "max_connections_per_source = 0\nmax_connections = 1000", limits: limits, rest: poolConf})
	defer g.Stop(patience)
	conns := make([]*client, len(all))
	var running sync.WaitGroup
	for part := range 4 {
		running.Go(func() {
			for i := part; i < len(all); i += 4 {
				c, err := w.dialAs(all[i].pair)
				if err != nil {
					t.Errorf("%s: %v", all[i].name, err)
					continue
				}
				conns[i] = c
				e := c.login(all[i].name + "@example.org")
				if <-e.done; e.code != radius.CodeAccessAccept {
					t.Errorf("%s got %v, expected an Access-Accept", all[i].name, e.code)
				}
			}
		})
	}
	running.Wait()
	now, _, err := g.Memory()
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for _, r := range server.requests() {
		name, _, _ := strings.Cut(r.user, "@")
		if want != nil && r.from.Addr().Unmap() != want[name] {
			wrong++
			t.Logf("the server saw %s come from %v, expected %v", name, r.from.Addr(), want[name])
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d requests came from another address than check -clients prints", wrong, len(all))
	}
	for _, c := range conns {
		if c != nil {
			c.close()
		}
	}
	return now
}

// dialAs opens a RadSec connection with a certificate.
func (w *world) dialAs(pair *certs.Pair) (*client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	raw, err := w.gateway.dialFrom(ctx, "127.0.0.1", "tcp", "127.0.0.1:2083")
	if err != nil {
		return nil, err
	}
	config, err := built.files.Client()
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{pair.TLS()}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	c := &client{conn: conn, waiting: map[[2]byte]*exchange{}}
	c.reader.Go(c.read)
	return c, nil
}
