package relay

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
)

// An old CoA or Disconnect that is sent again must not act again: outside the
// window it is dropped in silence (RFC 5176 §6.3). Other kinds are not looked at.
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
				l, p := b.open()
				b.net.setServe(func(s []byte) [][]byte {
					return [][]byte{respond(s, map[byte]radius.Code{1: 2, 4: 5, 40: 41, 43: 44}[s[0]], mac)}
				})
				attrs := []attr{user("nemo@example.org")}
				if !row.absent {
					attrs = append(attrs, integer(55, uint32(time.Now().Add(-row.age).Unix())))
				}
				if err := b.send(l, request(row.code, 1, 1, attrs...)); err != nil {
					t.Errorf("it cost the connection: %v", err)
				}
				b.wantFates(row.fates)
				if answered := len(p.got()) == 1; answered != (len(b.net.seen()) == 1) {
					t.Error("relayed and not answered, or answered and not relayed")
				}
			})
		})
	}
}

// Who may change a session is who lets its user in: the sender must be a server
// of the user's realm, where the client is so configured.
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
				l := b.gateway.Open(b.client, p, netip.MustParseAddrPort(row.remote))
				b.links = append(b.links, l)
				b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, 44)} })
				q := request(43, 1, 0, user(row.user), text(126, "1example.org"), proxyState("one"))
				b.send(l, q)
				checkOwn(t, q, p.got(), row.want)
				b.wantFates(row.fates)
			})
		})
	}
}

// A request that moves on to another server is a new request there: other
// Identifier space, authenticator, hiding and signature (RFC 2865 §2.5). Late
// replies of the first change nothing; CoA does not move (RFC 5176 §2.3).
// Rules: P23, P64, P65, P95
func TestMovesToTheNextServer(t *testing.T) {
	const secondText = "the other server's secret"
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, secondSecret: secondText})
		l, p := b.open()
		q := request(1, 9, 1, user("nemo@example.org"), password("hello-Password", clientText, challenge(1)), proxyState("one"))
		b.send(l, q)
		b.send(l, request(43, 9, 1, user("nemo@example.org")))
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
			t.Fatalf("%d transmissions to the first server and %d to the second, expected both asked", len(first), len(second))
		}
		if string(first[0].octets[4:20]) == string(second[0].octets[4:20]) {
			t.Error("both servers got the same Request Authenticator")
		}
		read := must(radius.Parse(second[0].octets, []byte(secondText)))
		if got, err := radius.UserPassword(read.Get(2), []byte(secondText), read.Authenticator[:]); err != nil || string(got) != "hello-Password" {
			t.Errorf("the second server reads the password %q, %v", got, err)
		}
		checkMAC(t, "the second server", second[0].octets, second[0].octets[4:20], secondText)
		first[0].from.in <- respond(first[0].octets, 2, mac)
		synctest.Wait()
		none(t, "after the first server's late reply the client got", p.got())
		second[0].from.in <- respondUnder(secondText, second[0].octets, 11, mac)
		synctest.Wait()
		checkAnswer(t, q, one(t, "the client got", p.got()), 11)
		b.wantFates("access/relayed=1")
	})
}
