package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nkeys"
	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	pairs "radsec-gw/bench/material"
	"radsec-gw/cluster/natstest"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/probe"
	"radsec-gw/web/status"
)

// natsCredentials returns a file with credentials for NATS, which no server accepts.
func natsCredentials(t *testing.T) []byte {
	t.Helper()
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := user.Seed()
	return fmt.Appendf(nil, "-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n", seed)
}

// challenger answers a login with a challenge, and what has its State with an Access-Accept whose Class is
// name. The server rejects a State that another has issued.
func challenger(t *testing.T, name string) (port int) {
	return gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
		code, state := radius.CodeAccessChallenge, rfc2865.State_GetString(r.Packet)
		switch {
		case strings.HasPrefix(state, name):
			code = radius.CodeAccessAccept
		case state != "":
			code = radius.CodeAccessReject
		}
		p := r.Response(code)
		rfc2865.State_SetString(p, fmt.Sprint(name, time.Now().UnixNano()))
		for _, ps := range mustGets(rfc2865.ProxyState_Gets(r.Packet)) {
			rfc2865.Class_Add(p, ps) // what the gateway marks with
		}
		probe.AddMessageAuthenticator(p)
		if _, err := probe.Sign(p); err == nil {
			w.Write(p)
		}
	})
}

func mustGets(list [][]byte, err error) [][]byte {
	if err != nil {
		panic(err)
	}
	return list
}

// replica is one of several gateways.
type replica struct {
	*Gateway
	t         *testing.T
	dir, file string
}

// startReplica starts a gateway whose route has two servers, in an order, and that shares through NATS.
func startReplica(t *testing.T, ports map[string]int, order [2]string, urls []string, more string) *replica {
	t.Helper()
	text := strings.Replace(gatewaytest.Config(ports["one"]), `name = "udp"`, `name = "one"`, 1)
	two := strings.Replace(text[strings.Index(text, "[[server]]"):strings.Index(text, "[[route]]")], `"one"`, `"two"`, 1)
	two = strings.Replace(two, fmt.Sprint(ports["one"]), fmt.Sprint(ports["two"]), 1)
	text = strings.Replace(text, "[[route]]", two+"[[route]]", 1)
	text = strings.Replace(text, `servers = ["udp"]`, fmt.Sprintf("servers = [%q, %q]", order[0], order[1]), 1)
	text += fmt.Sprintf("[cluster]\nnats = [%s]\nprefix = \"test.site\"\n%s", `"`+strings.Join(urls, `", "`)+`"`, more)
	dir, file := gatewaytest.Dir(t, text)
	return &replica{runPlan(t, planOf(t, file)), t, dir, file}
}

// change changes the file and reloads it.
func (r *replica) change(from, to string) {
	r.t.Helper()
	text, err := os.ReadFile(r.file)
	if err != nil {
		r.t.Fatal(err)
	}
	if !strings.Contains(string(text), to) {
		gatewaytest.WriteFile(r.t, r.file, []byte(strings.Replace(string(text), from, to, 1)))
	}
	if err := r.Reload(); err != nil {
		r.t.Fatal(err)
	}
}

// login sends an Access-Request with attributes, and returns the answer.
func (r *replica) login(change func(*radius.Packet)) *radius.Packet {
	r.t.Helper()
	config, err := pairs.In(filepath.Join(r.dir, "certs/dev")).Client()
	if err != nil {
		r.t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", r.Addr().String(), config)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	p := radius.New(radius.CodeAccessRequest, []byte("radsec"))
	rfc2865.UserName_SetString(p, "bob@example.org")
	if change != nil {
		change(p)
	}
	probe.AddMessageAuthenticator(p)
	b, err := probe.Sign(p)
	if err != nil {
		r.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(gatewaytest.Patience))
	if _, err := conn.Write(b); err != nil {
		r.t.Fatal(err)
	}
	if b, err = probe.ReadPacket(conn); err != nil {
		r.t.Fatal(err)
	}
	answer, err := radius.Parse(b, []byte("radsec"))
	if err != nil {
		r.t.Fatal(err)
	}
	return answer
}

// converse begins a login through one gateway and continues it through another.
func converse(from, to *replica) radius.Code {
	first := from.login(nil)
	if first.Code != radius.CodeAccessChallenge {
		from.t.Fatalf("a login got %v, expected a challenge", first.Code)
	}
	state := rfc2865.State_Get(first)
	return to.login(func(p *radius.Packet) { rfc2865.State_Set(p, state) }).Code
}

// A conversation that begins through one gateway and goes on through another is sent to the server
// that began it, although the other would choose another server; and what one gateway has marked
// is a loop at the other. Without NATS each serves by itself, and when it is back they
// share again.
//
// Rules: GW2, GW5
func TestReplicasShare(t *testing.T) {
	servers := natstest.StartWith(t, 1, natstest.Options{Plain: true})
	ports := map[string]int{"one": challenger(t, "one"), "two": challenger(t, "two")}
	a := startReplica(t, ports, [2]string{"one", "two"}, servers.URLs(), "")
	b := startReplica(t, ports, [2]string{"two", "one"}, servers.URLs(), "")
	for range 2 {
		until(t, "a conversation that goes on through the other gateway", func() bool { return converse(a, b) == radius.CodeAccessAccept })
		until(t, "a conversation that goes back", func() bool { return converse(b, a) == radius.CodeAccessAccept })
		marked := rfc2865.Class_Get(a.login(nil))
		if len(marked) == 0 {
			t.Fatal("the request has no marker")
		}
		loops := func() bool {
			return b.login(func(p *radius.Packet) { rfc2865.ProxyState_Add(p, marked) }).Code == radius.CodeAccessReject
		}
		until(t, "a loop through both gateways that is found", loops)
		awaitStatus(t, b.Gateway, func(s *status.Snapshot) string {
			if c := s.Cluster; c == nil || !c.Connected || c.Replicas != 1 || c.Prefix != "test.site" || c.Server != servers.URLs()[0] || c.Received == 0 {
				return "a connection and another gateway"
			}
			return ""
		})

		servers.Kill(0)
		s := awaitStatus(t, b.Gateway, func(s *status.Snapshot) string {
			if _, found := problemOf(s, "cluster_down"); !found {
				return "the problem cluster_down"
			}
			return ""
		})
		if s.Cluster.Connected || s.Cluster.Error == "" {
			t.Errorf("the status has %+v", s.Cluster)
		}
		if code := converse(a, b); code != radius.CodeAccessReject {
			t.Errorf("without NATS the other gateway's choice has answered %v, expected the reject of a server that does not know the State", code)
		}
		if code := converse(a, a); code != radius.CodeAccessAccept {
			t.Errorf("without NATS a login through one gateway got %v, expected that it is accepted", code)
		}
		if !loops() {
			t.Error("without NATS the marker of the other gateway is forgotten at once")
		}
		servers.Restart(0)
		until(t, "connections", func() bool { return a.cluster.conn.Connected() && b.cluster.conn.Connected() })
		b.change(`packets = ["access"]`, "packets = [\"access\"]\npatience = \"9s\"") // new rules do the same
	}
}

// A gateway starts, serves and ends without the NATS servers that it is configured with, and has then
// closed what it shares.
//
// Rules: GW2
func TestStartWithoutNATS(t *testing.T) {
	var c *clustered
	t.Cleanup(func() { // the gateway has ended
		if _, err := c.conn.Wait(context.Background()); err == nil {
			t.Error("the connection is open after the end of the gateway")
		}
	})
	ports := map[string]int{"one": challenger(t, "one"), "two": challenger(t, "two")}
	g := startReplica(t, ports, [2]string{"one", "two"}, []string{"nats://127.0.0.1:1", "nats://nowhere.invalid"}, "")
	c = g.cluster
	if code := converse(g, g); code != radius.CodeAccessAccept {
		t.Errorf("a login got %v, expected that it is accepted", code)
	}
	awaitStatus(t, g.Gateway, func(s *status.Snapshot) string {
		if p, found := problemOf(s, "cluster_down"); !found || !strings.Contains(p.Text, "without them: ") {
			return "the problem cluster_down with a reason"
		}
		return ""
	})
}

// A change of [cluster] takes effect at a restart, and the log says so; without the table nothing is
// shared.
//
// Rules: GW1, GW6
func TestClusterChangesAtARestart(t *testing.T) {
	_, file := gatewaytest.Dir(t, gatewaytest.Config(1))
	g, log := runWritten(t, planOf(t, file))
	if s := statusOf(t, g); s.Cluster != nil || g.cluster != nil {
		t.Errorf("without [cluster] the status has %+v, expected null", s.Cluster)
	}
	const table = "[cluster]\nnats = [\"nats://127.0.0.1:1\"]\n"
	put := func(text string, lines int) {
		t.Helper()
		gatewaytest.WriteFile(t, file, []byte(gatewaytest.Config(1)+text))
		if err := g.Reload(); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(log.String(), "[cluster] has changed"); n != lines {
			t.Errorf("with %q: expected %d lines about the cluster, got %d in\n%s", text, lines, n, log)
		}
	}
	put("", 0)
	put(table, 1)
	if g.cluster != nil {
		t.Error("the gateway shares since the reload, expected a restart")
	}
	put("", 1)

	gatewaytest.WriteFile(t, file, []byte(gatewaytest.Config(1)+table))
	g, log = runWritten(t, planOf(t, file))
	put(table, 0)
	put(table+"prefix = \"other\"\n", 1)
	if got := statusOf(t, g).Cluster.Prefix; got != "radsec-gw" {
		t.Errorf("the prefix is %q after a reload, expected that of the start", got)
	}
	put("", 2)
	put(table, 2)
}

// The files that [cluster] names are read when the configuration is, and those with secrets must not be
// readable for everybody.
//
// Rules: GW6
func TestFilesOfTheCluster(t *testing.T) {
	const table = "[cluster]\nnats = [\"nats://127.0.0.1:1\"]\ncredentials_file = \"nats.creds\"\nca = \"certs/dev/ca.pem\"\ncertificate = \"certs/dev/server.pem\"\nprivate_key = \"nats.key\"\n"
	dir, file := gatewaytest.Dir(t, gatewaytest.Config(1)+table)
	key, err := os.ReadFile(filepath.Join(dir, "certs/dev/server.key"))
	if err != nil {
		t.Fatal(err)
	}
	good := map[string][]byte{"nats.key": key, "nats.creds": natsCredentials(t)}
	for name, b := range good {
		gatewaytest.WriteFile(t, filepath.Join(dir, name), b)
	}
	files := fmt.Sprint(planOf(t, file).Files())
	for _, name := range []string{"{cluster.credentials_file " + dir + "/nats.creds true", "{cluster.private_key " + dir + "/nats.key true"} {
		if !strings.Contains(files, name) {
			t.Errorf("the files are %s, expected %s", files, name)
		}
	}
	other := []byte("hello")
	for _, x := range []struct{ file, want string }{
		{"nats.creds", "cluster.credentials_file: expected NATS credentials"},
		{"nats.key", "cluster.private_key: " + dir + "/nats.key"},
	} {
		gatewaytest.WriteFile(t, filepath.Join(dir, x.file), other)
		if got := mistakesOf(t, file); len(got) != 1 || !strings.Contains(got.Error(), x.want) || strings.Contains(got.Error(), "hello") {
			t.Errorf("expected %q, got\n%s", x.want, got)
		}
		gatewaytest.WriteFile(t, filepath.Join(dir, x.file), good[x.file])
	}
	gatewaytest.WriteFile(t, file, []byte(strings.Replace(gatewaytest.Config(1)+table, "\nca = \"certs/dev/ca.pem\"", "\nca = \"nats.key\"", 1)))
	if got := mistakesOf(t, file); len(got) != 1 || !strings.Contains(got.Error(), "cluster.ca: ") {
		t.Errorf("expected a mistake of the CA, got\n%s", got)
	}
}
