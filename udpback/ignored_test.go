package udpback

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
)

// A request that gets only replies that do not verify does not end as if its server had been
// silent: the owner is told how many there were, and why the last was ignored.
// Rules: P21
func TestUnverifiedRepliesAreNotSilence(t *testing.T) {
	for _, row := range []struct {
		name string
		bad  func(reply []byte) []byte
		want metrics.Result
	}{
		{"another secret", func(r []byte) []byte { r[4] ^= 1; return r }, metrics.ReplyBadResponseAuthenticator},
		{"another Code", func(r []byte) []byte { r[0] = 5; return r }, metrics.ReplyWrongCode},
		{"malformed", func(r []byte) []byte { return append(r[:3], append([]byte{22}, append(r[4:20], 1, 0)...)...) }, metrics.ReplyMalformed},
		{"shorter than a packet", func(r []byte) []byte { return r[:19] }, 0},
		{"another Identifier", func(r []byte) []byte { r[1]++; return r }, 0},
		{"none", func([]byte) []byte { return nil }, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", nil)
			defer s.Close()
			o := newOwner(radius.CodeAccessRequest)
			f.start(t, f.group(t, Failover, s), o)
			for range 2 {
				reply := answer(t, f.net.seen("a:1812")[0].octets, radius.CodeAccessAccept)
				if bad := row.bad(bytes.Clone(reply)); bad != nil {
					f.net.sockets[0].in <- bad
				}
				synctest.Wait()
			}
			<-o.ended
			want, failure := Ignored{}, FailSilent
			if row.want != 0 {
				want, failure = Ignored{Count: 2, Why: row.want, Server: "a"}, FailUnverified
			}
			if got := o.Ignored(); got != want || len(o.fails) != 1 || o.fails[0] != failure {
				t.Errorf("%s: %+v and failures %v, expected %+v and %v", row.name, got, o.fails, want, failure)
			}
			o.ClearServed()
			if got := o.Ignored(); got != (Ignored{}) {
				t.Errorf("%s: %+v after ClearServed, expected nothing", row.name, got)
			}
		})
	}
}

// A reply without the Message-Authenticator that the server must send is counted with the
// request, and a valid one still ends it.
// Rules: P21
func TestUnsignedThenSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.RequireMA = true })
		defer s.Close()
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, s), o)
		f.net.sockets[0].in <- answer(t, f.net.seen("a:1812")[0].octets, radius.CodeAccessAccept)
		synctest.Wait()
		if want := (Ignored{Count: 1, Why: metrics.ReplyMissingMessageAuthenticator, Server: "a"}); o.Ignored() != want || o.answered() {
			t.Errorf("%+v, answered %t; expected %+v of a request that still waits", o.Ignored(), o.answered(), want)
		}
		<-o.ended
	})
}

// A check that is answered only by what does not verify is counted so, and the log names the
// cause when the server is found down and does not call it silent.
// Rules: P84
func TestChecksThatDoNotVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		journal := f.journal()
		f.net.set(func() {
			f.net.serve = func(_ string, q []byte) [][]byte {
				reply := answer(t, q, radius.CodeAccessAccept)
				reply[4] ^= 1
				return [][]byte{reply}
			}
		})
		s := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
		defer s.Close()
		time.Sleep(2 * time.Minute)
		if n := f.count(t, "radsec_gw_server_probes_total", "port", "auth", "result", "unverified"); n == 0 {
			t.Error("no check is counted as unverified, expected some")
		}
		if n := f.count(t, "radsec_gw_server_probes_total", "port", "auth", "result", "unanswered"); n != 0 {
			t.Errorf("%v checks are counted as unanswered, expected none", n)
		}
		text := strings.Join(journal.take(), "\n")
		for _, want := range []string{"the secret here and on the server differ", "the server is down"} {
			if !strings.Contains(text, want) {
				t.Errorf("the log says\n%s\nexpected %q in it", text, want)
			}
		}
		if strings.Contains(text, "silent") {
			t.Errorf("the log says\n%s\nexpected no word of silence", text)
		}
	})
}
