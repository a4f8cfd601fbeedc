package gateway

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/gateway/gatewaytest"
)

// startChecked starts a gateway whose server is checked, each 100 ms until it has answered.
// change is applied to its configuration.
func startChecked(t *testing.T, port int, change ...string) (g *testGateway, dir string) {
	t.Helper()
	text := strings.NewReplacer(append(change, `health = "none"`, "health = \"status-server\"\nprobe_interval = \"100ms\"")...).Replace(gatewaytest.Config(port))
	dir, file := gatewaytest.Dir(t, text)
	return &testGateway{t: t, gw: runPlan(t, planOf(t, file))}, dir
}

// answerStatus answers Status-Server, and rejects the rest.
func answerStatus(w radius.ResponseWriter, r *radius.Request) {
	code := radius.CodeAccessReject
	if r.Code == radius.CodeStatusServer {
		code = radius.CodeAccessAccept
	}
	w.Write(r.Response(code))
}

// awaitReady waits until /readyz answers with a status. It fails when another answer than the
// ones before comes first.
func (g *testGateway) awaitReady(status int, text string) {
	g.t.Helper()
	deadline := time.Now().Add(gatewaytest.Patience)
	for {
		got, body := g.get("/readyz")
		if got == status && strings.Contains(body, text) {
			return
		}
		if got == http.StatusOK {
			g.t.Fatalf("/readyz answers %d %s before %d and %q", got, body, status, text)
		}
		if time.Now().After(deadline) {
			g.t.Fatalf("/readyz answers %d %s, expected %d and %q", got, body, status, text)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// With a wrong secret the gateway is never ready: not while the server is assumed to be up
// because none of its checks is lost yet, and not when it is down. Otherwise a rolling update
// would replace those that work.
//
// Fault O2.
func TestNeverReadyWithAWrongSecret(t *testing.T) {
	g, _ := startChecked(t, gatewaytest.Serve(t, answerStatus), gatewaytest.Secret, "not the server's")
	g.awaitReady(http.StatusServiceUnavailable, "server udp has not answered for auth yet")
	g.awaitReady(http.StatusServiceUnavailable, "route example.org: no server is up for auth (udp: down, and no reply of it has verified)")
}

// A CoA port is never checked. A route that takes coa besides access does not make a gateway
// ready whose secret is wrong, nor does one whose server is a closed port; with the right
// secret it is ready.
//
// Fault O2.
func TestCoAIsNoEvidence(t *testing.T) {
	port := gatewaytest.Serve(t, answerStatus)
	coa := []string{"coa_port = 0", "coa_port = 3799", `packets = ["access"]`, `packets = ["access", "coa"]`}
	g, _ := startChecked(t, port, append(coa, gatewaytest.Secret, "not the server's")...)
	g.awaitReady(http.StatusServiceUnavailable, "server udp has not answered for auth yet")
	g.awaitReady(http.StatusServiceUnavailable, "route example.org: no server is up for auth (udp: down, and no reply of it has verified)")
	g, _ = startChecked(t, port, coa...)
	g.awaitReady(http.StatusOK, `{"ready":true}`)
}

// The gateway is ready when its server has answered the first check, and its route has the
// metric that says so.
func TestReadyWithTheFirstAnswer(t *testing.T) {
	g, _ := startChecked(t, gatewaytest.Serve(t, answerStatus))
	g.awaitReady(http.StatusOK, `"ready":true`)
	now := g.scrape()
	if now[`radsec_gw_route_ready{route="example.org"}`] != 1 || now[`radsec_gw_routes{ready="yes"}`] != 1 {
		t.Errorf("the metrics do not say that the route is ready: %v", now)
	}
}

// One dead realm of two leaves the gateway ready, unless ready_when is "all"; /readyz and the
// metrics name it. A reload changes that.
//
// Fault O1.
func TestOneDeadRouteOfTwo(t *testing.T) {
	const more = `[[server]]
name = "dead"
address = "127.0.0.1"
auth_port = 9
acct_port = 0
coa_port = 0
secret = "a secret of this test"
health = "status-server"
probe_interval = "50ms"
[[route]]
realms = ["dead.example"]
packets = ["access"]
servers = ["dead"]
[metrics]
`
	g, dir := startChecked(t, gatewaytest.Serve(t, answerStatus), "[metrics]\n", more)
	const dead = "route dead.example: no server is up for auth (dead: down)"
	g.awaitReady(http.StatusOK, `"unserved":["`+dead+`"]`)
	if now := g.scrape(); now[`radsec_gw_route_ready{route="dead.example"}`] != 0 || now[`radsec_gw_route_ready{route="example.org"}`] != 1 {
		t.Errorf("the metrics do not say which route is ready: %v", now)
	}
	file := filepath.Join(dir, "c.toml")
	original := string(need(os.ReadFile(file)))
	for _, step := range []struct {
		from, to string
		status   int
		text     string
	}{
		{"[metrics]\n", "[metrics]\nready_when = \"all\"\n", http.StatusServiceUnavailable, `"reasons":["` + dead + `"]`},
		{"[metrics]\n", "ready = false\n[metrics]\nready_when = \"all\"\n", http.StatusOK, `{"ready":true}`},
	} {
		gatewaytest.WriteFile(t, file, []byte(strings.Replace(original, step.from, step.to, 1)))
		if err := g.gw.Reload(); err != nil {
			t.Fatal(err)
		}
		if got, body := g.get("/readyz"); got != step.status || !strings.Contains(body, step.text) {
			t.Errorf("with %q: /readyz answers %d %s, expected %d and %s", step.to, got, body, step.status, step.text)
		}
	}
}

// A reload that was refused shows in the metrics until one is taken: reading changed
// certificates meanwhile is not that. The place of the mistake is named.
//
// Fault O4.
func TestARefusedReloadShowsUntilOneIsTaken(t *testing.T) {
	g := startUnwatched(t)
	const successful = "radsec_gw_config_last_reload_successful{}"
	places := func() (found string) {
		for series := range g.scrape() {
			if rest, ok := strings.CutPrefix(series, "radsec_gw_config_refused{"); ok {
				found += rest
			}
		}
		return found
	}
	expect := func(when string, ok float64, place string) {
		t.Helper()
		if got := g.scrape()[successful]; got != ok {
			t.Errorf("%s: expected %s to be %v, got %v", when, successful, ok, got)
		}
		if got := places(); got != place {
			t.Errorf("%s: expected the places %q, got %q", when, place, got)
		}
	}
	expect("at the start", 1, "")
	good := need(os.ReadFile(g.gw.current.Load().Config.Path))
	bad := func(key string) []byte {
		return bytes.Replace(good, []byte("packet_timeout"), []byte(key+" = 1\npacket_timeout"), 1)
	}
	g.put("gw.toml", bad("unheard_of"))
	if g.gw.Reload() == nil {
		t.Fatal("expected the reload to be refused")
	}
	const place = `file="gw.toml",key="listen.unheard_of"}`
	expect("refused", 0, place)
	g.put("gw.toml", bad("being_edited")) // so that it is not read again by itself
	const taken = `radsec_gw_reloads_total{result="taken"}`
	before := g.scrape()[taken]
	g.put("ca.pem", append(need(os.ReadFile(filepath.Join(filepath.Dir(g.gw.current.Load().Config.Path), "ca.pem"))), '\n'))
	if err := g.gw.reloadFiles(); err != nil {
		t.Errorf("the changed certificates were refused: %v", err)
	}
	if got := g.scrape()[taken]; got != before+1 {
		t.Errorf("expected the changed certificates to be taken, got %v after %v of %s", got, before, taken)
	}
	expect("after other files were read", 0, place)
	g.put("gw.toml", good)
	g.reload()
	expect("taken", 1, "")
}
