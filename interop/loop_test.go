package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// mostLooped ends a loop that the gateway does not end.
const mostLooped = 200

// A server that sends each request back to the gateway over RadSec:
//
//	NAS --UDP--> proxy --TLS--> radsec-gw serve --UDP--> the same proxy --TLS--> the same gateway
//
// The gateway knows the request when it comes back, refuses it, and says which server sends it back.
//
// TLS 1.2: with 1.3 FreeRADIUS 3.2.1 reads the session ticket, then blocks in the same SSL_read until
// the first answer comes, and would not take its own request for so long.
// Rules: P31, P71
func TestLoopThroughFreeRADIUS(t *testing.T) {
	l := startLoop(t)
	c := freeradiusConfig{Auth: l.ports.auth, Acct: l.ports.acct, RadSec: l.ports.radsec, Certs: l.path("certs"),
		NASSecret: nasSecret, MinTLS: "1.2", MaxTLS: "1.2", Dir: t.TempDir()}
	proxy, err := c.start()
	stopAtEnd(t, proxy)
	if err != nil {
		t.Fatal(err)
	}
	l.rounds(t, nas{auth: l.ports.auth, acct: l.ports.acct, printed: proxy.printed})
}

// The same through radsecproxy.
// Rules: P31, P71
func TestLoopThroughRadsecproxy(t *testing.T) {
	l := startLoop(t)
	c := radsecproxyConfig{NAS: l.ports.nas, RadSec: l.ports.radsec, Certs: l.path("certs"), NASSecret: nasSecret}
	proxy, err := c.start(t.TempDir())
	stopAtEnd(t, proxy)
	if err != nil {
		t.Fatal(err)
	}
	l.rounds(t, nas{auth: l.ports.nas, acct: l.ports.nas, printed: proxy.printed})
}

// loop is a gateway whose one server is a proxy that sends everything back to it.
type loop struct {
	bed
	toServer []*counter
}

// startLoop starts the gateway. The proxy is to be at ports auth and acct, or at nas for both.
func startLoop(t *testing.T) *loop {
	t.Helper()
	l := &loop{bed: bed{dir: t.TempDir(), command: shared.command}}
	if err := l.ports.choose(); err != nil {
		t.Fatal(err)
	}
	auth, acct := l.ports.auth, l.ports.acct
	if strings.Contains(t.Name(), "Radsecproxy") {
		auth, acct = l.ports.nas, l.ports.nas
	}
	l.toServer = []*counter{countDatagrams(t, auth, mostLooped), countDatagrams(t, acct, mostLooped)}
	config := fmt.Sprintf(loopConf, l.ports.radsec, l.toServer[0].port, l.toServer[1].port, nasSecret, l.ports.metrics)
	err := l.serve(config)
	stopAtEnd(t, l.gateway)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// loopConf takes: port for RadSec, the server's authentication and accounting ports, its secret, port
// for metrics.
const loopConf = `
[listen]
address     = ["127.0.0.1:%d"]
certificate = "certs/server.pem"
private_key = "certs/server.key"
client_ca   = "certs/ca.pem"

[[client]]
name     = "looper"
networks = ["127.0.0.0/8"]

[[server]]
name      = "sends-it-back"
address   = "127.0.0.1"
auth_port = %d
acct_port = %d
coa_port  = 0
secret    = "%s"
health    = "none"
require_message_authenticator = false # radsecproxy 1.9.2 puts none into what it relays

[[route]]
realms  = ["*", ""]
packets = ["access", "accounting"]
servers = ["sends-it-back"]

[metrics]
address = "127.0.0.1:%d"
`

// rounds sends one request of each kind and counts what the gateway makes of it.
func (l *loop) rounds(t *testing.T, n nas) {
	one := func(name string, send func(t *testing.T)) {
		if t.Failed() {
			return // the proxy may still have much to do, and each further request waits for its end
		}
		t.Run(name, func(t *testing.T) {
			sent, refused := l.sent(), l.refused(t)
			send(t)
			for deadline := time.Now().Add(patience); l.refused(t) == refused && l.sent()-sent < mostLooped; {
				if time.Now().After(deadline) {
					t.Errorf("no request was refused as looping within %v", patience)
					break
				}
			}
			if rounds := l.sent() - sent; rounds < 1 || rounds > 2 {
				t.Errorf("one request made %d datagrams to the server, expected 1 or 2", rounds)
			}
			if got := l.refused(t) - refused; got != 1 {
				t.Errorf("%v requests were refused as looping, expected 1", got)
			}
			if t.Failed() {
				t.Logf("last of the gateway's output:\n%s\nlast of the proxy's:\n%s", lastLines(l.gateway.printed(), 10), lastLines(n.printed(), 10))
			}
		})
	}
	one("Access-Request", func(t *testing.T) {
		expect(t, n.radclient("auth", "User-Name = bob\nUser-Password = hello\n"), 1, "Received Access-Reject")
	})
	for _, row := range []struct{ name, network string }{
		{"EAP-MD5", lines("key_mgmt=IEEE8021X", "eap=MD5", `identity="bob"`, `password="hello"`)},
		{"PEAP", lines("key_mgmt=WPA-EAP", "eap=PEAP", `identity="bob"`, `password="hello"`)},
	} {
		one(row.name, func(t *testing.T) {
			if r := n.eapolTest(t, row.network, false); r.status == 0 {
				t.Errorf("expected no success of eapol_test, got:\n%s", lastLines(r.output, 20))
			}
		})
	}
	one("Accounting-Request", func(t *testing.T) { // gets no answer (P71): radclient does not wait for long
		r := runProgram(patience, "User-Name = bob\nAcct-Status-Type = Start\nAcct-Session-Id = loop\n",
			"radclient", "-x", "-r", "1", "-t", "1", fmt.Sprintf("127.0.0.1:%d", n.acct), "acct", nasSecret)
		if strings.Contains(r.output, "Received Accounting-Response") {
			t.Errorf("the request was answered:\n%s", r.output)
		}
	})
	if t.Failed() {
		return
	}
	told := 0
	for line := range strings.Lines(l.gateway.printed()) {
		if strings.Contains(line, "come back") && strings.Contains(line, "server=sends-it-back") {
			told++
		}
	}
	if told < 1 || told > 4 {
		t.Errorf("%d lines of the gateway name the server that sends requests back, expected at least 1 and at most one for each request:\n%s", told, l.gateway.printed())
	}
}

// sent is how many datagrams the gateway has sent to its server.
func (l *loop) sent() (n int64) {
	for _, c := range l.toServer {
		n += c.sent.Load()
	}
	return n
}

// refused is how many requests the gateway has refused because they came back.
func (l *loop) refused(t *testing.T) (n float64) {
	for series, value := range l.counters(t) {
		if strings.HasPrefix(series, "radsec_gw_requests_total{") && strings.Contains(series, `fate="loop"`) {
			n += value
		}
	}
	return n
}
