package relay

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/audit"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// written is a log that is written by a goroutine of its own.
type written struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// listen makes the bed write its request log and F-Ticks from now on. It returns a function
// that waits for the lines so far and returns them: for a request its fields "kind peer realm
// fate reply server port tries ms", if present; for F-Ticks its text.
func (b *bed) listen() (lines func() []string) {
	w := new(written)
	out := logs.NewOutput(w)
	b.relay.hub = audit.New(audit.Config{Out: out, Log: slog.New(slog.DiscardHandler), Metrics: b.relay.metrics, Realm: audit.Full,
		JSON: true, Requests: true, Federation: "eduroam", Country: "DE", Station: audit.Full})
	b.t.Cleanup(func() {
		b.relay.hub.Close()
		out.Close()
	})
	return func() (lines []string) {
		pass(time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		for r := bufio.NewScanner(&w.b); r.Scan(); {
			var field map[string]any
			if err := json.Unmarshal(r.Bytes(), &field); err != nil {
				b.t.Fatalf("%s: %v", r.Bytes(), err)
			}
			if field["msg"] != "request" {
				lines = append(lines, fmt.Sprint(field["msg"]))
				continue
			}
			if field["client"] != "campus" {
				b.t.Errorf("the line of a request has client %v, expected campus", field["client"])
			}
			var list []string
			for _, key := range []string{"kind", "peer", "realm", "fate", "reply", "server", "port", "tries", "ms", "unverified_replies", "unverified_because", "unverified_from"} {
				if v, ok := field[key]; ok {
					list = append(list, fmt.Sprint(v))
				}
			}
			lines = append(lines, strings.Join(list, " "))
		}
		return lines
	}
}

func (b *bed) wantLines(got []string, want ...string) {
	b.t.Helper()
	if !slices.Equal(got, want) {
		b.t.Errorf("the request log has\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// allFormats makes the bed route by all forms of realms.
func (b *bed) allFormats() {
	kinds := []wire.Kind{wire.KindAccess, wire.KindAccounting, wire.KindCoA, wire.KindDisconnect}
	b.rules.Table = must(routing.New([]routing.Rule{{Realms: []string{"example.org", "EXAMPLE"}, Kinds: kinds}},
		routing.Options{CoAByUserName: true, Formats: []routing.Format{routing.Prefix, routing.Suffix, routing.Machine}}))
}

// requestLogRow is a way for a packet to end, and the lines of the request log about it.
type requestLogRow struct {
	name string
	q    []byte
	do   func(b *bed, conn *Connection, q []byte)
	want []string
}

// late makes the server reply after a time.
func late(after time.Duration, code radius.Code) func(b *bed, conn *Connection, q []byte) {
	return func(b *bed, conn *Connection, q []byte) {
		b.send(conn, q)
		pass(after)
		s := b.net.seen()
		s[0].from.in <- respond(s[0].octets, code, mac)
		synctest.Wait()
	}
}

var station = text(31, "02-00-5E-00-53-01")

var requestLogRows = []requestLogRow{
	{"answered", makeRequest(1, 1, 1, nemo, station), late(250*time.Millisecond, 2),
		[]string{"access 192.0.2.1:1024 example.org relayed Access-Accept a auth 1 250", "F-TICKS/eduroam/1.0#REALM=example.org#VISCOUNTRY=DE#CSI=02-00-5e-00-53-01#RESULT=OK#"}},
	{"sent twice", makeRequest(4, 1, 1, nemo), late(3*time.Second, 5), []string{"accounting 192.0.2.1:1024 example.org relayed Accounting-Response a acct 2 3000"}},
	unverifiedRow,
	{"a Windows domain", makeRequest(1, 1, 1, user(`EXAMPLE\nemo`), station), late(time.Millisecond, 3),
		[]string{"access 192.0.2.1:1024 EXAMPLE relayed Access-Reject a auth 1 1", "F-TICKS/eduroam/1.0#REALM=example#VISCOUNTRY=DE#CSI=02-00-5e-00-53-01#RESULT=FAIL#"}},
	{"a Windows machine", makeRequest(1, 1, 1, user("host/pc.example.org")), late(0, 11), []string{"access 192.0.2.1:1024 example.org relayed Access-Challenge a auth 1 0"}},
	{"CoA by its operator", makeRequest(43, 1, 1, user("nemo@elsewhere.example"), text(126, "1Example.ORG")), late(0, 44), []string{"coa 192.0.2.1:1024 Example.ORG relayed CoA-ACK a coa 1 0"}},
	{"answered after a reload that reads realms otherwise", makeRequest(1, 1, 1, user(`EXAMPLE\nemo`)), func(b *bed, conn *Connection, q []byte) {
		b.send(conn, q)
		table := must(routing.New([]routing.Rule{{Realms: []string{"*"}, Kinds: []wire.Kind{wire.KindAccess}}}, routing.Options{}))
		b.relay.SetRules(&Rules{Table: table, Routes: b.rules.Routes})
		s := b.net.seen()
		s[0].from.in <- respond(s[0].octets, 3, mac)
		synctest.Wait()
	}, []string{"access 192.0.2.1:1024 EXAMPLE relayed Access-Reject a auth 1 0", "F-TICKS/eduroam/1.0#REALM=example#VISCOUNTRY=DE#CSI=undisclosed#RESULT=FAIL#"}},
	{"no route", makeRequest(1, 1, 1, user(`OTHER\nemo`)), nil, []string{"access 192.0.2.1:1024 OTHER no_route Access-Reject 0 0"}},
	{"not allowed", makeRequest(1, 1, 1, user(`EXAMPLE\nemo`)), func(b *bed, conn *Connection, q []byte) {
		b.client.Allowed[wire.KindAccess] = false
		b.send(conn, q)
	}, []string{"access 192.0.2.1:1024 EXAMPLE not_allowed Access-Reject 0 0"}},
	{"Status-Server", makeRequest(12, 1, 1, mac), nil, []string{"status 192.0.2.1:1024 status_answered Access-Accept 0 0"}},
	{"no packet", []byte{1, 0, 0, 22, 19: 0, 20: 1, 21: 3}, nil, []string{"other 192.0.2.1:1024 bad_attributes 0 0"}},
	{"a reply", assemble(2, 0, nil, nil), nil, []string{"other 192.0.2.1:1024 unexpected_reply 0 0"}},
	{"given up", makeRequest(1, 1, 1, nemo), func(b *bed, conn *Connection, q []byte) {
		b.send(conn, q)
		pass(2500 * time.Millisecond)
		conn.Closed()
	}, []string{"access 192.0.2.1:1024 example.org client_gone a auth 2 2500"}},
	{"abandoned while udpback uses it", makeRequest(1, 1, 1, nemo), func(b *bed, conn *Connection, q []byte) {
		b.send(conn, q)
		req := conn.recent[wire.KindAccess][1].flight
		req.Handler = &closing{req}
		s := b.net.seen()
		s[0].from.in <- respond(s[0].octets, 2, mac)
		synctest.Wait()
	}, []string{"access 192.0.2.1:1024 example.org client_gone 0 0"}},
}

// Each request is logged once, with its fate, the server that it was sent to last, how often
// it was sent, how long it took, and the realm that it was routed by.
// Rules: P137, P138
func TestRequestLog(t *testing.T) {
	for _, row := range requestLogRows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// The fifth transmission would be due after 30 s, 10 % more or less.
				b := newBed(t, settings{policy: strict, server: udpback.ServerConfig{Schedule: udpback.Schedule{Duration: 20 * time.Second}}})
				b.allFormats()
				lines := b.listen()
				conn, _ := b.open()
				pass(7 * time.Second) // the clock does not begin with the request
				if row.do == nil {
					b.send(conn, row.q)
				} else {
					row.do(b, conn, row.q)
				}
				b.wantLines(lines(), row.want...)
			})
		})
	}
}

// closing is a handler whose connection ends while a reply is being written.
type closing struct{ *request }

func (c *closing) Reply(d *wire.Digests, dst []byte, reply *wire.View, sent *[16]byte, from udpback.Hop) int {
	n := c.request.Reply(d, dst, reply, sent, from)
	c.conn.Closed()
	return n
}

// pipes are the connections of taps.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return nil }

// A tap shows a request when it arrives, and its end, selected by the realm that it is routed
// by.
func TestTap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.allFormats()
		b.listen()
		conn, _ := b.open()
		b.send(conn, makeRequest(1, 1, 1, user(`EXAMPLE\early`)))

		taps := make(pipes)
		ctx, cancel := context.WithCancel(t.Context())
		var served sync.WaitGroup
		served.Go(func() { b.relay.hub.ServeTaps(ctx, taps) })
		here, there := net.Pipe()
		taps <- there
		shown := new(written)
		served.Go(func() { bufio.NewReader(here).WriteTo(shown) })
		fmt.Fprintln(here, `{"realm":"example"}`)
		synctest.Wait()
		b.send(conn, makeRequest(1, 2, 2, user(`EXAMPLE\nemo`)))
		b.send(conn, makeRequest(1, 3, 3, user("nora@example.org")))
		cut := shown.b.Len()
		s := b.net.seen()
		s[1].from.in <- respond(s[1].octets, 2, mac)
		synctest.Wait()
		cancel()
		here.Close()
		close(taps)
		served.Wait()
		first, second := shown.b.String()[:cut], shown.b.String()[cut:]
		if strings.Count(first, " -> Access-Request") != 1 || strings.Count(first, " => server a auth") != 1 || !strings.Contains(first, `EXAMPLE\\nemo`) || !strings.Contains(first, "campus") || !strings.Contains(first, "192.0.2.1:1024") {
			t.Errorf("when the request has arrived the tap shows %q, expected it with its client and the client's address, and its copy for the server", first)
		}
		if !strings.Contains(second, "relayed") || strings.Contains(shown.b.String(), "nora") || strings.Contains(shown.b.String(), "early") {
			t.Errorf("at the end the tap has shown %q, expected this request relayed and no other", shown.b.String())
		}
	})
}

// A fate is also counted by route, that of a request without a route under "other". Answers
// are counted by Code, and timed from the arrival of the request.
func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnreachable: Silent, onUnroutable: Silent,
			server: udpback.ServerConfig{Schedule: udpback.Schedule{Initial: time.Second, Count: 1, Duration: 2 * time.Second}}})
		b.rules.Routes[0].Metrics = b.relay.metrics.Route("home")
		conn, _ := b.open()
		b.send(conn, makeRequest(1, 1, 1, nemo))
		pass(300 * time.Millisecond)
		s := b.net.seen()
		s[0].from.in <- respond(s[0].octets, 2, mac)
		synctest.Wait()
		b.send(conn, makeRequest(1, 2, 2, nemo))
		pass(5 * time.Second)
		b.send(conn, makeRequest(1, 3, 3, user("nemo@elsewhere.example")))
		b.client.Allowed[wire.KindAccess] = false
		b.send(conn, makeRequest(1, 4, 4, nemo))
		b.wantFates("access/no_route=1 access/not_allowed=1 access/relayed=1 access/server_silent=1")
		if got, want := b.counts("radsec_gw_route_requests_total", "route", "fate"), "home/relayed=1 home/server_silent=1 other/no_route=1"; got != want {
			t.Errorf("by route: %s\nexpected: %s", got, want)
		}
		if got := b.counts("radsec_gw_replies_total", "code"); got != "Access-Accept=1" {
			t.Errorf("answers by Code: %s, expected one Access-Accept", got)
		}
		count, sum := uint64(0), 0.0
		for _, family := range must(b.reg.Gather()) {
			if family.GetName() == "radsec_gw_request_seconds" {
				for _, m := range family.GetMetric() {
					count += m.GetHistogram().GetSampleCount()
					sum += m.GetHistogram().GetSampleSum()
				}
			}
		}
		if count != 1 || sum < 0.3 || sum > 0.31 {
			t.Errorf("%d requests were timed, %v s in all; expected the answered one, 0.3 s", count, sum)
		}
	})
}

// The gateway's own answers are counted like any others.
func TestOwnAnswersAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.send(conn, makeRequest(12, 1, 1, mac))
		if got := b.sum("radsec_gw_replies_total"); got != 1 {
			t.Errorf("%v answers are counted, expected 1", got)
		}
		p.deaf, p.ended = true, metrics.ClosedNotReading
		b.send(conn, makeRequest(12, 2, 2, mac))
		if got := b.sum("radsec_gw_replies_total"); got != 1 {
			t.Errorf("%v answers are counted, expected still 1: the second was not accepted", got)
		}
		b.wantFates("status/client_not_reading=1 status/status_answered=1")
	})
}

// otherWays are those of requests that are abandoned, of packets that are not requests, and of
// answers that are lost.
var otherWays = []way{
	{"superseded", func(b *bed, conn *Connection, i int) {
		b.net.setServe(nil)
		b.send(conn, makeRequest(1, 7, i, nemo))
	}},
	{"the client has gone", func(b *bed, conn *Connection, i int) {
		b.net.setServe(nil)
		b.send(conn, makeRequest(1, byte(i), i, nemo))
		conn.Closed()
	}},
	{"the client does not read", func(b *bed, conn *Connection, i int) {
		p := conn.peer.(*peer)
		p.deaf, p.ended = true, metrics.ClosedNotReading
		b.send(conn, makeRequest(1, byte(i), i, nemo))
	}},
	{"the server is silent", func(b *bed, conn *Connection, i int) {
		b.net.setServe(nil)
		b.send(conn, makeRequest(1, byte(i), i, nemo))
		pass(time.Minute)
	}},
	{"the server is closed", func(b *bed, conn *Connection, i int) {
		b.net.setServe(nil)
		b.send(conn, makeRequest(1, byte(i), i, nemo))
		b.server.Close()
	}},
	{"a Protocol-Error", func(b *bed, conn *Connection, i int) {
		b.net.setServe(answerError(404))
		b.send(conn, makeRequest(1, byte(i), i, nemo))
	}},
	{"a reply that is too long", func(b *bed, conn *Connection, i int) {
		b.net.setServe(func(s []byte) [][]byte { return accept(s, fill(200, 4096-20)...) })
		b.send(conn, makeRequest(1, byte(i), i, nemo))
	}},
	{"not a request", func(b *bed, conn *Connection, i int) { b.send(conn, assemble(2, 0, nil, nil)) }},
	{"malformed", func(b *bed, conn *Connection, i int) { b.send(conn, []byte{1, 0, 0, 22, 19: 0, 20: 1, 21: 3}) }},
}

// However packets end, each has one fate: by client, in the request log, and by route if it
// had a route or should have had one.
func TestEachPacketHasOneFate(t *testing.T) {
	for _, row := range slices.Concat(ways, otherWays) {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				b.rules.Routes[0].Metrics = b.relay.metrics.Route("home")
				lines := b.listen()
				b.net.setServe(rejectAll)
				conn, _ := b.open()
				for i := range 3 {
					row.do(b, conn, i)
				}
				b.stop()
				logged := map[string]float64{}
				for _, line := range lines() {
					if !strings.HasPrefix(line, "F-TICKS") {
						logged[fateIn(t, line)]++
					}
				}
				b.wantFatesByLabel(logged)
			})
		})
	}
}

// fateIn returns the fate in a line of the request log.
func fateIn(t *testing.T, line string) string {
	t.Helper()
	for _, word := range strings.Fields(line) {
		for f := range metrics.NumFates {
			if f.String() == word {
				return word
			}
		}
	}
	t.Fatalf("a line without a fate: %q", line)
	return ""
}

// wantFatesByLabel fails the test unless each fate is counted as often by client as it was
// logged, and not more often by route.
func (b *bed) wantFatesByLabel(logged map[string]float64) {
	b.t.Helper()
	byClient, byRoute, total := map[string]float64{}, map[string]float64{}, 0.0
	b.series("radsec_gw_requests_total", func(labels map[string]string, n float64) {
		byClient[labels["fate"]] += n
		total += n
	})
	b.series("radsec_gw_route_requests_total", func(labels map[string]string, n float64) { byRoute[labels["fate"]] += n })
	for fate, n := range byClient {
		if n != logged[fate] || byRoute[fate] > n {
			b.t.Errorf("%s: counted %v times by client and %v times by route, logged %v times", fate, n, byRoute[fate], logged[fate])
		}
		delete(logged, fate)
	}
	if len(logged) != 0 || int(total) != b.packets {
		b.t.Errorf("%v packets are counted of %d; logged besides: %v", total, b.packets, logged)
	}
}
