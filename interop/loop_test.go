package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/process"
)

// mostLooped ends a loop that the gateway does not end.
const mostLooped = 200

// A server that sends each request back to the gateway over RadSec:
//
//	NAS --UDP--> proxy --TLS--> radsec-gw serve --UDP--> the same proxy --TLS--> the same gateway
//
// The gateway knows the request when it is returned, refuses it, and logs which server sends it back.
//
// TLS 1.2: with 1.3 FreeRADIUS 3.2.1 reads the session ticket, then blocks in the same SSL_read until
// the first answer comes, and would not read its own request until then.
// Fault P-2.
// Rules: P31, P71
func TestLoopThroughFreeRADIUS(t *testing.T) {
	l := startLoop(t, func(p bedPorts) [3]int { return [3]int{p.auth, p.acct, p.coa} })
	n := l.throughFreeRADIUS(t, freeradiusConfig{Auth: l.ports.auth, Acct: l.ports.acct})
	l.rounds(t, n)
}

// CoA and Disconnect sent back by FreeRADIUS, to which the answer is a NAK.
// Rules: P31, P93
func TestCoALoopThroughFreeRADIUS(t *testing.T) {
	l := startLoop(t, func(p bedPorts) [3]int { return [3]int{p.auth, p.acct, p.coa} })
	n := l.throughFreeRADIUS(t, freeradiusConfig{CoA: l.ports.coa})
	for _, kind := range []string{"coa", "disconnect"} {
		l.round(t, kind, n, func(t *testing.T) {
			expect(t, n.radclient(kind, "User-Name = bob\n"), 1, "-NAK", "Error-Cause = Proxy-Request-Not-Routable")
		})
	}
	l.logged(t)
}

// throughFreeRADIUS starts the server that sends everything back, on the ports that c names.
func (l *loop) throughFreeRADIUS(t *testing.T, c freeradiusConfig) nas {
	t.Helper()
	c.RadSec, c.Certs, c.NASSecret, c.MinTLS, c.MaxTLS, c.Dir = l.ports.radsec, l.path("certs"), nasSecret, "1.2", "1.2", t.TempDir()
	proxy, err := c.start()
	stopAtEnd(t, proxy)
	if err != nil {
		t.Fatal(err)
	}
	return nas{auth: c.Auth, acct: c.Acct, coa: c.CoA, printed: proxy.Printed}
}

// The same through radsecproxy.
// Rules: P31, P71
func TestLoopThroughRadsecproxy(t *testing.T) {
	l := startLoop(t, func(p bedPorts) [3]int { return [3]int{p.nas, p.nas, p.nas} })
	c := radsecproxyConfig{NAS: l.ports.nas, RadSec: l.ports.radsec, Certs: l.path("certs"), NASSecret: nasSecret}
	proxy, err := c.start(t.TempDir())
	stopAtEnd(t, proxy)
	if err != nil {
		t.Fatal(err)
	}
	l.rounds(t, nas{auth: l.ports.nas, acct: l.ports.nas, printed: proxy.Printed})
}

// loop is a gateway whose one server is a proxy that sends everything back to it.
type loop struct {
	bed
	toServer []*counter
	started  time.Time
}

// startLoop starts the gateway; proxy says where the proxy is going to be: its ports for
// authentication, accounting and CoA.
func startLoop(t *testing.T, proxy func(bedPorts) [3]int) *loop {
	t.Helper()
	l := &loop{bed: bed{dir: t.TempDir()}, started: time.Now()}
	if err := l.ports.choose(); err != nil {
		t.Fatal(err)
	}
	at := []any{l.ports.radsec}
	for _, port := range proxy(l.ports) {
		c := countDatagrams(t, port, mostLooped)
		l.toServer = append(l.toServer, c)
		at = append(at, c.port)
	}
	config := fmt.Sprintf(oneServerConf, append(append([]any{"sends-it-back"}, at...), nasSecret, l.ports.metrics)...)
	err := l.serve(config)
	stopAtEnd(t, l.gateway)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// round sends one request and counts what the gateway does with it.
func (l *loop) round(t *testing.T, name string, n nas, send func(t *testing.T)) {
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
		if datagrams := l.sent() - sent; datagrams < 1 || datagrams > 2 {
			t.Errorf("one request made %d datagrams to the server, expected 1 or 2", datagrams)
		}
		if got := l.refused(t) - refused; got != 1 {
			t.Errorf("%v requests were refused as looping, expected 1", got)
		}
		if t.Failed() {
			t.Logf("last of the gateway's output:\n%s\nlast of the proxy's:\n%s", process.LastLines(l.gateway.Printed(), 10), process.LastLines(n.printed(), 10))
		}
	})
}

// rounds are one request of each kind.
func (l *loop) rounds(t *testing.T, n nas) {
	l.round(t, "Access-Request", n, func(t *testing.T) {
		expect(t, n.radclient("auth", "User-Name = bob\nUser-Password = hello\n"), 1, "Received Access-Reject")
	})
	for _, m := range eapMethods(t) {
		l.round(t, m.name, n, func(t *testing.T) {
			r := n.eapolTest(t, m.network, false)
			if r.Status == 0 || !strings.Contains(r.Output, "code=3 (Access-Reject)") {
				t.Errorf("expected an Access-Reject for eapol_test, got:\n%s", process.LastLines(r.Output, 40))
			}
		})
	}
	l.round(t, "Accounting-Request", n, func(t *testing.T) { // gets no answer (P71): radclient does not wait for long
		r := run(patience, "User-Name = bob\nAcct-Status-Type = Start\nAcct-Session-Id = loop\n",
			"radclient", "-x", "-r", "1", "-t", "1", fmt.Sprintf("127.0.0.1:%d", n.acct), "acct", nasSecret)
		if strings.Contains(r.Output, "Received Accounting-Response") {
			t.Errorf("the request was answered:\n%s", r.Output)
		}
	})
	l.logged(t)
}

// logged checks the line that names the server: one a minute, for all requests.
func (l *loop) logged(t *testing.T) {
	if t.Failed() {
		return
	}
	lines, most := l.gateway.Output().Count("has returned", "server=sends-it-back"), 1+int(time.Since(l.started)/time.Minute)
	if lines < 1 || lines > most {
		t.Errorf("%d lines of the gateway name the server that sends requests back, expected 1 to %d:\n%s", lines, most, l.gateway.Printed())
	}
}

// sent is how many datagrams the gateway has sent to its server.
func (l *loop) sent() (n int64) {
	for _, c := range l.toServer {
		n += c.sent.Load()
	}
	return n
}

// refused is how many requests the gateway has refused because they were sent back.
func (l *loop) refused(t *testing.T) float64 {
	return l.counters(t).Sum("radsec_gw_requests_total", `fate="loop"`)
}
