package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/bench/process"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/logs"
)

// A connection whose client is still configured stays open, and the client's new policy applies
// immediately; that of a client that is removed is closed.
//
// Rules: P109, P71
func TestReloadChangesClients(t *testing.T) {
	g := startGateway(t, answering(t))
	plain, access := g.connect("plain"), g.connect("access")
	plain.good()
	access.good()
	g.rewrite("name = \"plain\"\n", "name = \"plain\"\npackets = [\"coa\", \"disconnect\"]\n")
	g.rewrite("name = \"access\"\n", "name = \"renamed\"\n")
	g.reload()
	q := rawRequest(1, 9, emptyMAC, nameOf("bob@example.org"))
	plain.write(q)
	plain.believe(q, plain.read(), 3)
	if access.read() != nil {
		t.Error("expected the connection of a removed client closed, it is open")
	}
	g.connect("access").good()
	g.awaitLog("reason=not_allowed")
}

// A configuration with mistakes is refused as a whole, with all of them reported, and the
// current one stays in use.
func TestBadReloadIsRefused(t *testing.T) {
	g := startGateway(t, answering(t))
	plain := g.connect("plain")
	good, err := os.ReadFile(g.gw.current.Load().Config.Path)
	if err != nil {
		t.Fatal(err)
	}
	g.rewrite("name = \"plain\"\n", "name = \"other\"\n") // good, but must not be used alone
	g.rewrite("health = \"none\"", "health = \"nome\"\nunheard_of = 1")
	key, err := os.ReadFile(filepath.Join(filepath.Dir(g.gw.current.Load().Config.Path), "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	g.put("server.key", []byte("noise"))
	err = g.gw.Reload()
	g.put("server.key", key)
	if err == nil || !strings.Contains(err.Error(), "unheard_of") {
		t.Fatalf("expected a mistake about the unknown key, got %v", err)
	}
	for _, text := range []string{"gw.toml:", "nome", "unheard_of: unknown key", "listen.private_key"} {
		if !strings.Contains(g.log.String(), text) {
			t.Errorf("expected %q in the log", text)
		}
	}
	plain.good()
	for name, b := range map[string][]byte{"ca.pem": []byte("noise"), "server.key": []byte("noise")} {
		g.put("gw.toml", good)
		was, err := os.ReadFile(filepath.Join(filepath.Dir(g.gw.current.Load().Config.Path), name))
		if err != nil {
			t.Fatal(err)
		}
		g.put(name, b)
		if g.gw.Reload() == nil {
			t.Errorf("expected a broken %s to be refused", name)
		}
		plain.good()
		g.put(name, was)
	}
	g.reload()
	plain.good()
	now := g.scrape()
	if now[`radsec_gw_reloads_total{result="refused"}`] != 3 || now[`radsec_gw_reloads_total{result="taken"}`] != 1 {
		t.Errorf("expected 3 reloads counted as refused and 1 as taken, got %v and %v",
			now[`radsec_gw_reloads_total{result="refused"}`], now[`radsec_gw_reloads_total{result="taken"}`])
	}
	if at := now["radsec_gw_config_last_reload_success_timestamp_seconds{}"]; time.Since(time.UnixMilli(int64(at*1000))) > time.Minute {
		t.Errorf("expected the last reload within a minute, got %v", at)
	}
}

// A request in flight to a server that a reload removes gets that server's answer; later ones
// go to the new server. A server that is unchanged is reused.
func TestReloadChangesServers(t *testing.T) {
	release, arrived := make(chan struct{}), make(chan struct{}, 10)
	slow := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
		arrived <- struct{}{}
		<-release
		gatewaytest.Accept(w, r)
	})
	g := startGateway(t, [3]int{slow, slow, slow})
	c := g.connect("plain")
	first := rawRequest(1, 1, emptyMAC, nameOf("first@example.org"))
	c.write(first)
	<-arrived
	before := g.gw.servers[0].server
	g.reload()
	if g.gw.servers[0].server != before {
		t.Error("expected a server that is unchanged to be reused, got another")
	}
	text, err := os.ReadFile(g.gw.current.Load().Config.Path)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(text, []byte("auth_port"))
	j := i + bytes.Index(text[i:], []byte("\n"))
	g.rewrite(string(text[i:j]), "auth_port = "+strconv.Itoa(answering(t)[0]))
	g.reload()
	c.good()
	close(release)
	a := c.read()
	if a == nil {
		t.Fatal("the connection is closed")
	}
	c.believe(first, a, 2)
}

// Lines about requests are logged from a reload on, in the format that it sets.
//
// Fault L5.
func TestLogChangesAtAReload(t *testing.T) {
	ports := answering(t)
	dir, file := gatewaytest.Dir(t, strings.Replace(gatewaytest.Config(ports[0]), "requests = true\n", "", 1))
	p := planOf(t, file)
	var out process.Output
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
			t.Fatalf("expected a line with %s after the reload, got\n%s", want, out.String())
		}
	}
	text := out.String()
	if strings.Contains(text, "msg=request") || !strings.Contains(text, `"user":"bob@example.org"`) || !strings.Contains(text, `"msg":"reloaded"`) {
		t.Errorf("the log is\n%s", text)
	}
}
