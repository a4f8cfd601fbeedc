package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/logs"
)

// rewrite changes the configuration file, without reloading it.
func (o *outside) rewrite(from, to string) {
	o.t.Helper()
	path := o.gw.current.Load().Config.Path
	text, err := os.ReadFile(path)
	if err != nil {
		o.t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		o.t.Fatalf("the configuration lacks %q", from)
	}
	o.put(filepath.Base(path), []byte(strings.Replace(string(text), from, to, 1)))
}

// put replaces a file beside the configuration, as a whole.
func (o *outside) put(name string, octets []byte) {
	o.t.Helper()
	path := filepath.Join(filepath.Dir(o.gw.current.Load().Config.Path), name)
	if err := os.WriteFile(path+".new", octets, 0o600); err != nil {
		o.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		o.t.Fatal(err)
	}
}

func (o *outside) reload() {
	o.t.Helper()
	if err := o.gw.Reload(); err != nil {
		o.t.Fatal(err)
	}
}

// awaitLog waits for a line.
func (o *outside) awaitLog(text string) {
	o.t.Helper()
	o.await("there", func(map[string]float64) string {
		if strings.Contains(o.log.String(), text) {
			return "there"
		}
		return "no log line with " + text
	})
}

// A connection whose client stays, stays, and follows the client's new policy
// at once; that of a client that is gone is closed.
//
// Rules: P109, P71
func TestReloadChangesClients(t *testing.T) {
	o := startOutside(t, answering(t))
	plain, access := o.connect("plain"), o.connect("access")
	plain.good()
	access.good()
	o.rewrite("name = \"plain\"\n", "name = \"plain\"\npackets = [\"coa\", \"disconnect\"]\n")
	o.rewrite("name = \"access\"\n", "name = \"renamed\"\n")
	o.reload()
	q := rawRequest(1, 9, emptyMAC, nameOf("bob@example.org"))
	plain.write(q)
	plain.believe(q, plain.read(), 3)
	if access.read() != nil {
		t.Error("the connection of a client that is gone is not closed")
	}
	o.connect("access").good()
	o.awaitLog("reason=not_allowed")
}

// A file with mistakes is refused as a whole, with all of them, and what was in
// force stays.
func TestBadReloadIsRefused(t *testing.T) {
	o := startOutside(t, answering(t))
	plain := o.connect("plain")
	good, err := os.ReadFile(o.gw.current.Load().Config.Path)
	if err != nil {
		t.Fatal(err)
	}
	o.rewrite("name = \"plain\"\n", "name = \"other\"\n") // good, but not to be taken alone
	o.rewrite("health = \"none\"", "health = \"nome\"\nunheard_of = 1")
	key, err := os.ReadFile(filepath.Join(filepath.Dir(o.gw.current.Load().Config.Path), "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	o.put("server.key", []byte("noise"))
	err = o.gw.Reload()
	o.put("server.key", key)
	if err == nil || !strings.Contains(err.Error(), "unheard_of") {
		t.Fatalf("the bad file gives %v", err)
	}
	for _, text := range []string{"gw.toml:", "nome", "unheard_of: unknown key", "listen.private_key"} {
		if !strings.Contains(o.log.String(), text) {
			t.Errorf("the log lacks %q", text)
		}
	}
	plain.good()
	for name, octets := range map[string][]byte{"ca.pem": []byte("noise"), "server.key": []byte("noise")} {
		o.put("gw.toml", good)
		was, err := os.ReadFile(filepath.Join(filepath.Dir(o.gw.current.Load().Config.Path), name))
		if err != nil {
			t.Fatal(err)
		}
		o.put(name, octets)
		if o.gw.Reload() == nil {
			t.Errorf("a broken %s is taken", name)
		}
		plain.good()
		o.put(name, was)
	}
	o.reload()
	plain.good()
	now := o.scrape()
	if now[`radsec_gw_reloads_total{result="refused"}`] != 3 || now[`radsec_gw_reloads_total{result="taken"}`] != 1 {
		t.Errorf("%v reloads are counted as refused and %v as taken, want 3 and 1",
			now[`radsec_gw_reloads_total{result="refused"}`], now[`radsec_gw_reloads_total{result="taken"}`])
	}
	if at := now["radsec_gw_last_reload_timestamp_seconds{}"]; time.Since(time.UnixMilli(int64(at*1000))) > time.Minute {
		t.Errorf("the last reload is shown at %v", at)
	}
}

// A request that waits at a server which a reload removes gets its answer from
// there; those after it go to the new one. A server that stays is the same.
func TestReloadChangesServers(t *testing.T) {
	release, arrived := make(chan struct{}), make(chan struct{}, 10)
	slow := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
		arrived <- struct{}{}
		<-release
		gatewaytest.Accept(w, r)
	})
	o := startOutside(t, [3]int{slow, slow, slow})
	c := o.connect("plain")
	first := rawRequest(1, 1, emptyMAC, nameOf("first@example.org"))
	c.write(first)
	<-arrived
	before := o.gw.servers[0].server
	o.reload()
	if o.gw.servers[0].server != before {
		t.Error("a server that is unchanged was made anew")
	}
	text, err := os.ReadFile(o.gw.current.Load().Config.Path)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(text, []byte("auth_port"))
	j := i + bytes.Index(text[i:], []byte("\n"))
	o.rewrite(string(text[i:j]), "auth_port = "+strconv.Itoa(answering(t)[0]))
	o.reload()
	c.good()
	close(release)
	a := c.read()
	if a == nil {
		t.Fatal("the connection is closed")
	}
	c.believe(first, a, 2)
}

// Certificates and lists are taken up when their files change: for new
// connections the certificate, for open ones the revocation. A key that does not
// fit is refused until it does.
//
// Rules: P109
func TestFilesAreWatched(t *testing.T) {
	o := startOutside(t, answering(t))
	now := time.Now()
	list := func(revoked ...*certs.Pair) []byte {
		der, err := o.ca.CRL(now, now.Add(time.Hour), revoked...)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	o.put("ca.crl", list())
	o.rewrite("client_ca = \"ca.pem\"\n", "client_ca = \"ca.pem\"\ncrl = [\"ca.crl\"]\nreload_interval = \"20ms\"\n")
	o.reload()
	plain, strict := o.connect("plain"), o.connect("strict")
	plain.good()

	next, err := o.ca.Server(certs.DevelopmentHosts()...)
	if err != nil {
		t.Fatal(err)
	}
	key, err := next.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	o.awaitReloads("taken", 1)
	o.put("server.pem", next.CertPEM())
	o.awaitLog("is not the key of the first certificate")
	o.connect("plain").good()
	o.put("server.key", key)
	o.awaitReloads("taken", 2)
	c := o.connect("plain")
	if got := c.ConnectionState().PeerCertificates[0]; !bytes.Equal(got.Raw, next.Certificate.Raw) {
		t.Error("a new connection sees the old certificate")
	}
	plain.good()

	o.put("ca.crl", list(o.pairs["strict"]))
	if strict.read() != nil {
		t.Error("the revoked client is not closed")
	}
	plain.good()
	cfg := o.tls("strict")
	cfg.MaxVersion = tls.VersionTLS12
	if c, err := tls.Dial("tcp", o.gw.Addr().String(), cfg); err == nil {
		c.Close()
		t.Error("the revoked client connects again")
	}
}

func (o *outside) awaitReloads(result string, want int) {
	o.t.Helper()
	o.await(strconv.Itoa(want), func(now map[string]float64) string {
		return strconv.Itoa(int(now[`radsec_gw_reloads_total{result="`+result+`"}`]))
	})
}

// Draining lets a request that waits finish, refuses new connections, and ends
// without an error.
func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	release, arrived := make(chan struct{}), make(chan struct{}, 10)
	slow := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
		arrived <- struct{}{}
		<-release
		gatewaytest.Accept(w, r)
	})
	o := startOutside(t, [3]int{slow, slow, slow})
	idle, c := o.connect("plain"), o.connect("plain")
	q := rawRequest(1, 1, emptyMAC, nameOf("first@example.org"))
	c.write(q)
	<-arrived
	if o.gw.Draining() {
		t.Error("it drains before it is told to")
	}
	o.gw.Drain()
	if !o.gw.Draining() {
		t.Error("readiness is not down at once")
	}
	if idle.read() != nil {
		t.Error("an idle connection is not closed")
	}
	if conn, err := net.DialTimeout("tcp", o.gw.Addr().String(), gatewaytest.Patience); err == nil {
		conn.Close()
		t.Error("a new connection is accepted")
	}
	o.scrape() // is still served
	close(release)
	a := c.read()
	if a == nil {
		t.Fatal("the connection is closed before the answer")
	}
	c.believe(q, a, 2)
	if c.read() != nil {
		t.Error("the connection stays open")
	}
	ctx, cancel := context.WithTimeout(context.Background(), gatewaytest.Patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- o.gw.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Error("the gateway does not end")
	}
}

// The lines of requests begin at a reload, in the form that it sets.
//
// Fault L5.
func TestLogChangesAtAReload(t *testing.T) {
	ports := answering(t)
	dir, file := gatewaytest.Dir(t, strings.Replace(gatewaytest.Config(ports[0]), "requests = true\n", "", 1))
	p := planOf(t, file)
	var out gatewaytest.Log
	lines := logs.New(&out, p.LogConfig())
	defer lines.Close()
	ctx, cancel := context.WithCancel(context.Background())
	g, err := Start(ctx, p, Options{Log: slog.New(lines)})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	defer func() {
		cancel()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	}()
	login := func() {
		t.Helper()
		gatewaytest.Dial(t, dir, g.Addr().String()).Login("bob@example.org", "x")
	}
	login()
	gatewaytest.WriteFile(t, file, []byte(strings.Replace(gatewaytest.Config(ports[0]), "level = \"debug\"", "level = \"info\"\nformat = \"json\"\nuser = \"full\"", 1)))
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	login()
	const want = `"msg":"request"`
	deadline, tick := time.After(gatewaytest.Patience), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(out.String(), want) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no line with %s after the reload:\n%s", want, out.String())
		}
	}
	text := out.String()
	if strings.Contains(text, "msg=request") || !strings.Contains(text, `"user":"bob@example.org"`) || !strings.Contains(text, `"msg":"reloaded"`) {
		t.Errorf("the log is\n%s", text)
	}
}
