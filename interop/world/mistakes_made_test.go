//go:build linux

package world

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/interop/testbed"

	"layeh.com/radius"
)

// mistakes are what goes wrong at night, by the headings of the page. Each function makes a
// world, starts the gateway, makes the mistake, and waits until it shows.
var mistakes = map[string]func(n *night){
	"The secret differs at the server":            wrongServerSecret,
	"The server says nothing":                     silentServer,
	"Nothing listens on the server's port":        closedPort,
	"The server does not sign its replies":        unsignedReplies,
	"The server answers checks, but no requests":  failingServer,
	"The name of the server cannot be looked up":  hangingName,
	"The network has no route to the server":      noNetwork,
	"The server answers too slowly":               overload,
	"The server sends requests back":              loopingServer,
	"Two servers ask the user for a confirmation": twoPushes,
	"The secret differs at the client":            wrongClientSecret,
	"The client's certificate has expired":        expiredClient,
	"The client's certificate is of another CA":   foreignClient,
	"The client's certificate is revoked":         revokedClient,
	"No [[client]] matches":                       unknownClient,
	"The client speaks RADIUS without TLS":        plainClient,
	"The client sends more than its limit":        limitedClient,
	"No route matches":                            noRoute,
	"The server is in maintenance":                maintained,
	"The gateway's own certificate has expired":   expiredOwn,
	"The revocation list is out of date":          staleList,
	"A new configuration is refused":              refusedReload,
	"File descriptors have run out":               noDescriptors,
	"The disk of the log is full":                 noDisk,
}

// quick is a schedule that ends soon, so that a test need not wait for 30 s.
const quick = "retransmit_initial = \"300ms\"\nretransmit_duration = \"5s\"\nprobe_interval = \"500ms\""

// one starts the gateway in front of one server, which does what script says.
func (n *night) one(script func(request) reply, keys ...string) *server {
	n.t.Helper()
	s := n.server("10.0.0.10", script)
	n.begin(setup{rest: backend("radius-a", "10.0.0.10", keys...) + route("example.org", to("radius-a"))})
	return s
}

// probeLogin logs in by radsec-gw probe.
func (n *night) probeLogin(args ...string) {
	n.t.Helper()
	n.probe(append([]string{"access", "-user", "bob@example.org", "-password", "hello"}, args...)...)
}

func wrongServerSecret(n *night) {
	s := n.one(nil, quick)
	n.probeLogin()
	s.answer(garbled)
	s.answerProbes(garbled)
	n.probeLogin()
	n.probeLogin()
	n.settle("radsec_gw_server_state", `state="down"`)
}

func silentServer(n *night) {
	n.rules(n.outside, "add table inet lossy", "add chain inet lossy in { type filter hook input priority 0 ; }", "add rule inet lossy in udp dport 1812 drop")
	n.one(nil, quick)
	n.probeLogin()
	n.probeLogin()
	n.settle("radsec_gw_server_state", `state="down"`)
}

func closedPort(n *night) {
	s := n.one(nil, quick)
	n.probeLogin()
	s.conn.Close()
	n.probeLogin()
	n.settle("radsec_gw_server_state", `state="down"`)
}

func unsignedReplies(n *night) {
	n.one(func(request) reply { return reply{unsigned: true} }, quick)
	n.probeLogin()
	n.probeLogin()
}

func failingServer(n *night) {
	n.one(func(request) reply { return reply{silent: true} }, quick)
	c := n.dial()
	var all exchanges
	for i := range 12 {
		all = append(all, c.login(fmt.Sprintf("u%d@example.org", i)))
	}
	all.wait(patience)
	n.probeLogin()
	n.settle("radsec_gw_server_state", `state="failing"`)
}

func hangingName(n *night) {
	n.names().set("radius.example.org", entry{silent: true})
	n.begin(setup{rest: backend("radius-a", "radius.example.org", quick) + route("example.org", to("radius-a"))})
	n.probeLogin()
	n.settle("radsec_gw_server_name_lookups_total", `result="failed"`)
	n.settle("radsec_gw_server_state", `state="down"`)
}

func noNetwork(n *night) {
	n.one(nil, quick)
	n.probeLogin()
	n.run(n.gateway, "ip link set eth0 down")
	n.probeLogin()
	n.probeLogin()
	n.settle("radsec_gw_server_state", `state="down"`)
}

// overload sends more requests than the server has Identifiers for.
func overload(n *night) {
	n.one(func(request) reply { return reply{after: 1500 * time.Millisecond} }, "max_sockets = 1")
	var all exchanges
	for range 4 {
		c := n.dial()
		for i := range 128 {
			all = append(all, c.login(fmt.Sprintf("u%d@example.org", i)))
		}
	}
	n.settle("radsec_gw_requests_total", `fate="no_identifier"`)
	n.probeLogin()
	all.wait(patience)
}

// loopingServer routes what it is sent to the gateway again, for the first ten requests.
func loopingServer(n *night) {
	var back atomic.Pointer[client]
	var loops atomic.Int32
	n.one(func(r request) reply {
		if c := back.Load(); c != nil && loops.Add(1) <= 10 {
			c.send(message{user: r.user, back: r.back})
		}
		return reply{silent: true}
	}, quick)
	back.Store(n.dial())
	n.probeLogin()
	n.settle("radsec_gw_requests_total", `fate="loop"`)
}

// twoPushes has a server that waits for its user, longer than the route's patience, and answers
// Status-Server meanwhile.
func twoPushes(n *night) {
	n.server("10.0.0.10", func(r request) reply { return reply{silent: r.again, after: 2 * time.Second} })
	n.server("10.0.0.11", func(r request) reply { return reply{silent: true} })
	keys := []string{`retransmit_initial = "300ms"`, `retransmit_duration = "10s"`, `failing_after = 100`}
	n.begin(setup{rest: backend("radius-a", "10.0.0.10", keys...) + backend("radius-b", "10.0.0.11", keys...) + route("example.org", to("radius-a", "radius-b"), `patience = "1s"`)})
	c := n.dial()
	var all exchanges
	for i := range 10 {
		all = append(all, c.login(fmt.Sprintf("u%d@example.org", i)))
		time.Sleep(200 * time.Millisecond)
	}
	all.wait(patience)
	n.probeLogin()
	n.settle("radsec_gw_replies_after_move_total")
}

func wrongClientSecret(n *night) {
	n.one(nil)
	n.probeLogin("-secret", "not-radsec", "-radius-version", "1.0")
}

// clientOf makes a certificate of a CA for the probe, and returns the probe's flags for it.
func (n *night) clientOf(ca *certs.CA, changes ...certs.Change) []string {
	n.t.Helper()
	pair, err := ca.Client("bobs-controller", changes...)
	n.must(err)
	key, err := pair.KeyPEM()
	n.must(err)
	n.write("client.pem", string(pair.CertPEM()))
	n.write("client.key", string(key))
	return []string{"-cert", n.path("client.pem"), "-key", n.path("client.key")}
}

// authority is the CA that the gateway trusts.
func (n *night) authority() *certs.CA {
	n.t.Helper()
	ca, err := certs.LoadSigner(built.files.CA, strings.TrimSuffix(built.files.CA, ".pem")+".key")
	n.must(err)
	return ca
}

// yesterday is the Change that lets a certificate end yesterday.
func yesterday(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
}

func expiredClient(n *night) {
	n.one(nil)
	n.probeLogin(n.clientOf(n.authority(), yesterday)...)
}

func foreignClient(n *night) {
	n.one(nil)
	ca, err := certs.NewCA("somebody else's CA")
	n.must(err)
	n.probeLogin(n.clientOf(ca)...)
}

// writeList writes a revocation list of the gateway's CA.
func (n *night) writeList(until time.Time, revoked ...*certs.Pair) {
	n.t.Helper()
	der, err := certstest.CRL(n.authority(), until.Add(-2*time.Hour), until, revoked...)
	n.must(err)
	n.write("ca.crl", string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})))
}

func revokedClient(n *night) {
	n.server("10.0.0.10", nil)
	flags := n.clientOf(n.authority())
	leaf, err := certs.LoadCertificates(n.path("client.pem"))
	n.must(err)
	n.writeList(time.Now().Add(24*time.Hour), &certs.Pair{Certificate: leaf[0]})
	n.begin(setup{listen: fmt.Sprintf("crl = [%q]", n.path("ca.crl")), rest: backend("radius-a", "10.0.0.10") + route("example.org", to("radius-a"))})
	n.probeLogin(flags...)
}

func unknownClient(n *night) {
	n.server("10.0.0.10", nil)
	n.begin(setup{clients: "[[client]]\nname = \"campus\"\nnetworks = [\"192.0.2.0/24\"]\nsan_ip = [\"source\"]\n", only: true,
		rest: backend("radius-a", "10.0.0.10") + route("example.org", to("radius-a"))})
	n.probeLogin()
}

func plainClient(n *night) {
	n.one(nil)
	conn, err := n.gateway.dial(n.t.Context(), "tcp", "127.0.0.1:2083")
	n.must(err)
	defer conn.Close()
	_, err = conn.Write(encode(message{code: radius.CodeAccessRequest, user: "bob@example.org"}, 1))
	n.must(err)
	_, _ = conn.Read(make([]byte, 100)) // until it is closed
	n.settle("radsec_gw_tls_handshakes_total", `result="not_tls"`)
}

func limitedClient(n *night) {
	n.server("10.0.0.10", nil)
	n.begin(setup{clients: "[[client]]\nname = \"campus\"\nsan_dns = [\"client\"]\npackets_per_second = 5\n",
		rest: backend("radius-a", "10.0.0.10") + route("example.org", to("radius-a"))})
	c := n.dial()
	for i := range 100 {
		c.login(fmt.Sprintf("u%d@example.org", i))
	}
	n.settle("radsec_gw_requests_total", `fate="rate_limited"`)
}

func noRoute(n *night) {
	n.one(nil)
	n.probe("access", "-user", "bob@elsewhere.example", "-password", "hello")
}

func expiredOwn(n *night) {
	n.server("10.0.0.10", nil)
	pair, err := n.authority().Server([]string{"radsec-server", "127.0.0.1"}, yesterday)
	n.must(err)
	key, err := pair.KeyPEM()
	n.must(err)
	n.write("own.pem", string(pair.CertPEM()))
	n.write("own.key", string(key))
	n.begin(setup{certificate: n.path("own.pem"), key: n.path("own.key"), rest: backend("radius-a", "10.0.0.10") + route("example.org", to("radius-a"))})
	n.probeLogin()
}

func staleList(n *night) {
	n.server("10.0.0.10", nil)
	n.writeList(time.Now().Add(-time.Minute))
	n.begin(setup{listen: fmt.Sprintf("crl = [%q]\ncrl_stale = \"refuse\"", n.path("ca.crl")), rest: backend("radius-a", "10.0.0.10") + route("example.org", to("radius-a"))})
	n.probeLogin()
}

func refusedReload(n *night) {
	n.one(nil)
	n.write("radsec-gw.toml", readAll(n, "radsec-gw.toml")+"\n[[route]]\nrealms = [\"example.com\"]\npackets = [\"access\"]\nservers = [\"radius-z\"]\n")
	n.g.RefusedReload()
	n.probeLogin()
}

func readAll(n *night, name string) string {
	n.t.Helper()
	b, err := os.ReadFile(filepath.Join(n.dir, name))
	n.must(err)
	return string(b)
}

func noDescriptors(n *night) {
	n.server("10.0.0.10", nil)
	n.begin(setup{limits: "--nofile=64", rest: backend("radius-a", "10.0.0.10") + route("example.org", to("radius-a"))})
	for range 60 {
		conn, err := n.gateway.dial(n.t.Context(), "tcp", "127.0.0.1:2083")
		n.must(err)
		tls, err := tlsClient(n.t.Context(), conn)
		if err != nil {
			conn.Close()
			break
		}
		n.t.Cleanup(func() { tls.NetConn().Close() })
	}
	n.probeLogin()
	n.settle("radsec_gw_tls_handshakes_total", `result="no_descriptor"`)
}

func noDisk(n *night) {
	n.server("10.0.0.10", nil)
	full := fullDisk(n.t, n.world)
	n.begin(setup{stderr: full, rest: backend("radius-a", "10.0.0.10") + route("example.org", to("radius-a")) + loggingRequests})
	n.probeLogin()
	c := n.dial()
	for testbed.Eventually(0, func() bool { return n.g.Metrics().Sum("radsec_gw_log_lines_lost_total") == 0 }) && !n.t.Failed() {
		var all exchanges
		for i := range 200 {
			all = append(all, c.login(fmt.Sprintf("u%d@example.org", i)))
		}
		if !all.wait(patience).all() {
			n.t.Error("logins are not granted while the disk is full")
		}
	}
	testbed.Eventually(patience, func() bool { // the page takes a sample now and then
		_, text, _ := n.g.Get("/api/v1/status", patience)
		return strings.Contains(text, `"kind":"log_lines_lost"`)
	})
}

func maintained(n *night) {
	n.one(nil, "maintenance = true")
	n.probeLogin()
}
