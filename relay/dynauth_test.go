package relay

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
)

// An old CoA or Disconnect that is replayed must not act again: outside the window it is
// silently dropped (RFC 5176 §6.3), and the log has the times. Other kinds are not checked.
// Rules: P58, P91
func TestEventTimestamp(t *testing.T) {
	const window = 5 * time.Minute
	rows := []struct {
		name    string
		code    radius.Code
		age     time.Duration
		absent  bool
		require bool
		fates   string
	}{
		{"CoA of now", 43, 0, false, false, "coa/relayed=1"},
		{"CoA at the window's edge", 43, window, false, false, "coa/relayed=1"},
		{"CoA that is too old", 43, window + time.Second, false, false, "coa/stale_event_timestamp=1"},
		{"CoA from the future", 43, -window - time.Second, false, false, "coa/stale_event_timestamp=1"},
		{"Disconnect that is too old", 40, window + time.Second, false, false, "disconnect/stale_event_timestamp=1"},
		{"CoA without one", 43, 0, true, false, "coa/relayed=1"},
		{"CoA without one where required", 43, 0, true, true, "coa/stale_event_timestamp=1"},
		{"accounting that is old", 4, 48 * time.Hour, false, true, "accounting/relayed=1"},
		{"access that is old", 1, 48 * time.Hour, false, true, "access/relayed=1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				b.rules.Timestamps = Timestamps{Window: window, Require: row.require}
				conn, p := b.open()
				b.net.setServe(func(s []byte) [][]byte {
					return [][]byte{respond(s, map[byte]radius.Code{1: 2, 4: 5, 40: 41, 43: 44}[s[0]], mac)}
				})
				attrs := []attr{nemo}
				stamp := uint32(time.Now().Add(-row.age).Unix())
				if !row.absent {
					attrs = append(attrs, integer(55, stamp))
				}
				if err := b.send(conn, makeRequest(row.code, 1, 1, attrs...)); err != nil {
					t.Errorf("the connection must be closed: %v", err)
				}
				b.wantFates(row.fates)
				if answered := len(p.got()) == 1; answered != (len(b.net.seen()) == 1) {
					t.Error("relayed and not answered, or answered and not relayed")
				}
				if row.absent {
					if logged := strings.Contains(b.log.String(), "no Event-Timestamp"); logged != row.require {
						t.Errorf("a missing Event-Timestamp is logged: %t, expected %t:\n%s", logged, row.require, b.log)
					}
					return
				}
				wantTimes(t, b, strings.Contains(row.fates, "stale"), stamp, "was dropped")
			})
		})
	}
}

// An answer outside the window is replayed, or its clock is wrong. The NAS has acted already:
// the answer is passed on, and logged with both times, or dropped if so configured, and then
// the right one may still arrive.
// Rules: P91
func TestEventTimestampOfAnswers(t *testing.T) {
	const window = 5 * time.Minute
	rows := []struct {
		name   string
		code   radius.Code
		window time.Duration
		age    time.Duration
		drop   bool // so configured
		stale  bool
	}{
		{"ACK of now", 43, window, 0, true, false},
		{"ACK at the window's edge", 43, window, window, true, false},
		{"ACK that is too old", 43, window, window + time.Second, false, true},
		{"ACK that is too old, dropped", 43, window, window + time.Second, true, true},
		{"ACK from the future", 40, window, -window - time.Second, false, true},
		{"ACK from the future, dropped", 40, window, -window - time.Second, true, true},
		{"ACK of a clock that begins with 1971", 43, window, 29 * 365 * 24 * time.Hour, false, true},
		{"old, and no window", 40, 0, 48 * time.Hour, true, false},
		{"old answer to accounting", 4, window, 48 * time.Hour, true, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				b.rules.Timestamps = Timestamps{Window: row.window, DropReplies: row.drop}
				conn, p := b.open()
				answer := map[byte]radius.Code{4: 5, 40: 41, 43: 44}
				stamp := uint32(time.Now().Add(-row.age).Unix())
				b.net.setServe(func(s []byte) [][]byte {
					return [][]byte{respond(s, answer[s[0]], mac, integer(55, stamp)), respond(s, answer[s[0]], mac)}
				})
				q := makeRequest(row.code, 1, 0, nemo)
				b.send(conn, q)
				a := one(t, "the client got", p.got())
				dropped := row.stale && row.drop
				if stamped := joined(a, 55) != ""; stamped == dropped {
					t.Errorf("the client got the answer with the Event-Timestamp: %t, expected %t", stamped, !dropped)
				}
				b.wantFates(map[byte]string{4: "accounting", 40: "disconnect", 43: "coa"}[byte(row.code)] + "/relayed=1")
				switch {
				case dropped:
					b.wantResults("accepted=1 stale_event_timestamp=1")
				case row.stale:
					b.wantResults("stale_event_timestamp=1 unmatched=1")
				default:
					b.wantResults("accepted=1 unmatched=1")
				}
				wantTimes(t, b, row.stale, stamp, map[bool]string{true: "dropped", false: "passed on"}[row.drop])
			})
		})
	}
}

// wantTimes fails the test unless the log has a line with the time of a packet, the
// gateway's own and the window, or no such line if none is expected.
func wantTimes(t *testing.T, b *bed, logged bool, stamp uint32, how string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(b.log.String()) {
		if strings.Contains(line, "Event-Timestamp") {
			lines = append(lines, line)
		}
	}
	if !logged {
		if len(lines) != 0 {
			t.Errorf("expected nothing about the Event-Timestamp in the log, got %q", lines)
		}
		return
	}
	if len(lines) != 1 {
		t.Fatalf("expected one line about the Event-Timestamp in the log, got %q", lines)
	}
	for _, part := range []string{
		"level=WARN", how, map[bool]string{true: "client=campus", false: "server="}[how == "was dropped"], "event_timestamp=" + time.Unix(int64(stamp), 0).UTC().Format(time.RFC3339), "now=" + time.Now().UTC().Format(time.RFC3339), "window=5m0s",
	} {
		if !strings.Contains(lines[0], part) {
			t.Errorf("expected %q in the log line, got %q", part, lines[0])
		}
	}
}

// A CoA that is replayed acts once only, as long as its Event-Timestamp is fresh (RFC 5176
// §6.3). The answers to other kinds are repeated for five seconds.
// Rules: P61, P62, P91
func TestDuplicateWindowIsThatOfEventTimestamp(t *testing.T) {
	const window = 5 * time.Minute
	for _, row := range []struct {
		name   string
		code   radius.Code
		window time.Duration
		after  time.Duration
		again  bool // goes to the server again
	}{
		{"CoA within the window", 43, window, window - 2*time.Second, false},
		{"Disconnect within the window", 40, window, time.Minute, false},
		{"CoA after the window", 43, window, window + 10*time.Second, true},
		{"CoA, no window", 43, 0, 11 * time.Second, true},
		{"accounting", 4, window, 11 * time.Second, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				b.rules.Timestamps = Timestamps{Window: row.window}
				conn, p := b.open()
				b.net.setServe(func(s []byte) [][]byte {
					return [][]byte{respond(s, map[byte]radius.Code{4: 5, 40: 41, 43: 44}[s[0]], mac)}
				})
				q := makeRequest(row.code, 1, 0, nemo)
				b.send(conn, q)
				first := one(t, "the client got", p.got())
				b.net.seen()
				pass(row.after)
				b.send(conn, q)
				if again := len(b.net.seen()) == 1; again != row.again {
					t.Errorf("after %v the duplicate went to the server: %t, expected %t", row.after, again, row.again)
				}
				if second := one(t, "for its duplicate the client got", p.got()); !row.again && !bytes.Equal(first, second) {
					t.Errorf("for its duplicate the client got %x, expected the first answer %x", second, first)
				}
			})
		})
	}
}

// If the NAS's port is not open the client gets a NAK immediately (RFC 5176 §3.5). Accounting
// is resent: its server may be back in time.
// Rules: P94
func TestPortUnreachable(t *testing.T) {
	for _, row := range []struct {
		code  radius.Code
		want  expectation
		fates string
	}{
		{43, expectation{45, 406}, "coa/server_refused=1"},
		{40, expectation{42, 406}, "disconnect/server_refused=1"},
		{4, expectation{}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			conn, p := b.open()
			b.net.setServe(func([]byte) [][]byte { return [][]byte{nil} })
			q := makeRequest(row.code, 9, 0, nemo, proxyState("one"))
			b.send(conn, q)
			checkOwn(t, q, p.got(), row.want)
			b.wantFates(row.fates)
			if row.want.code == 0 {
				return
			}
			b.net.setServe(func(s []byte) [][]byte {
				return [][]byte{respond(s, map[byte]radius.Code{40: 41, 43: 44}[s[0]], mac)}
			})
			pass(6 * time.Second)
			b.send(conn, q)
			if a := one(t, "for the same request later the client got", p.got()); a[0] != byte(row.code)+1 {
				t.Errorf("when the NAS is back the client got Code %d, expected an ACK", a[0])
			}
		})
	}
}

// Only a server of the user's realm may change a session, if the client is so configured.
// Rules: P34, P88
func TestReversePath(t *testing.T) {
	rows := []struct {
		name, remote, user string
		check              ReversePath
		want               expectation
		fates              string
	}{
		{"off", "198.51.100.1:9", "nemo@example.org", ReversePathOff, expectation{44, 0}, "coa/relayed=1"},
		{"a server of the realm", "192.0.2.9:9", "nemo@example.org", ReversePathNAK, expectation{44, 0}, "coa/relayed=1"},
		{"a stranger, dropped", "198.51.100.1:9", "nemo@example.org", ReversePathDrop, expectation{}, "coa/wrong_path=1"},
		{"a stranger, refused", "198.51.100.1:9", "nemo@example.org", ReversePathNAK, expectation{45, 502}, "coa/wrong_path=1"},
		{"a user of no realm that is routed", "192.0.2.9:9", "nemo@elsewhere.example", ReversePathNAK, expectation{45, 502}, "coa/wrong_path=1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict, secondSecret: serverText})
				b.client.ReversePath = row.check
				p := new(peer)
				conn := b.relay.Open(b.known, p, netip.MustParseAddrPort(row.remote), Origin{})
				b.conns = append(b.conns, conn)
				b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, 44)} })
				q := makeRequest(43, 1, 0, user(row.user), text(126, "1example.org"), proxyState("one"))
				b.send(conn, q)
				checkOwn(t, q, p.got(), row.want)
				b.wantFates(row.fates)
			})
		})
	}
}

// A request that moves on to another server is a new request there: other
// Identifier space, authenticator, hiding and signature (RFC 2865 §2.5). The first
// valid reply wins; CoA does not move (RFC 5176 §2.3).
// Rules: P23, P24, P64, P65, P95
func TestMovesToTheNextServer(t *testing.T) {
	const secondText = "the other server's secret"
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, secondSecret: secondText})
		conn, p := b.open()
		q := makeRequest(1, 9, 1, nemo, password("hello-Password", clientText, challenge(1)), proxyState("one"))
		b.send(conn, q)
		b.send(conn, makeRequest(43, 9, 1, nemo))
		pass(10 * time.Second)
		var first, second []datagram
		for _, d := range b.net.seen() {
			switch {
			case d.octets[0] == 43:
				if d.address != "a:3799" {
					t.Errorf("the CoA went to %s too", d.address)
				}
			case d.address == "a:1812":
				first = append(first, d)
			default:
				second = append(second, d)
			}
		}
		if len(first) == 0 || len(second) == 0 {
			t.Fatalf("%d transmissions to the first server and %d to the second, expected some to both", len(first), len(second))
		}
		if string(first[0].octets[4:20]) == string(second[0].octets[4:20]) {
			t.Error("both servers got the same Request Authenticator")
		}
		read := must(radius.Parse(second[0].octets, []byte(secondText)))
		if got, err := radius.UserPassword(read.Get(2), []byte(secondText), read.Authenticator[:]); err != nil || string(got) != "hello-Password" {
			t.Errorf("the second server reads the password %q, %v", got, err)
		}
		checkMAC(t, "the second server", second[0].octets, second[0].octets[4:20], secondText)
		second[0].from.in <- respondUnder(secondText, second[0].octets, 11, mac)
		synctest.Wait()
		checkAnswer(t, q, one(t, "the client got", p.got()), 11)
		first[0].from.in <- respond(first[0].octets, 2, mac)
		synctest.Wait()
		none(t, "after the first server's late reply the client got", p.got())
		b.wantFates("access/relayed=1")
	})
}
