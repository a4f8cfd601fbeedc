package udpback

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// The log lines about a port's health: one for every change, except for those between up
// and suspect, which are logged once a minute.
func TestLogOfHealth(t *testing.T) {
	const (
		second   = time.Second
		of       = " server=a port=auth "
		silent   = `level=WARN msg="the server is silent; checking it, new requests prefer other servers"` + of + `address=192.0.2.1:1812`
		answers  = `level=INFO msg="the server answers again"` + of
		assumed  = `level=INFO msg="the server is assumed to be up until something else is known"` + of
		address  = " address=192.0.2.1:1812"
		noStatus = `level=WARN msg="the server answers requests and never Status-Server; its health follows from its requests alone, as with health = \"none\""` + of + `address=192.0.2.1:1812`
		failing  = `level=ERROR msg="the server is failing: new requests prefer other servers"` + of + `hint="it answers checks, and 5 requests in a row stayed unanswered: check what the server needs for its work, such as its database or directory"` + address
		down     = `level=ERROR msg="the server is down"` + of + `hint="nothing has ever arrived from it: is the address right, and does it know this gateway as a client?"` + address
	)
	suspect := func(at time.Duration) health.Transition {
		return health.Transition{From: health.Up, To: health.Suspect, At: at}
	}
	cleared := health.Transition{From: health.Suspect, To: health.Up}
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		journal := f.journal()
		s := f.server(t, "a", nil)
		defer s.Close()
		start := time.Now()
		for i, row := range []struct {
			t    health.Transition
			want string // empty: nothing
		}{
			{cleared, ""}, // nobody was told that it was suspect
			{suspect(1 * second), silent},
			{cleared, answers + "was=suspect" + address},
			{suspect(2 * second), ""},
			{cleared, ""},
			{suspect(3 * second), ""},
			{health.Transition{From: health.Suspect, To: health.Up, Assumed: true}, assumed + "was=suspect" + address},
			{suspect(61 * second), silent + " suppressed=2"},
			{health.Transition{From: health.Suspect, To: health.Up, Assumed: true}, assumed + "was=suspect" + address},
			{cleared, ""},
			{suspect(62 * second), ""},
			{suspect(121 * second), silent + " suppressed=1"},
			{health.Transition{From: health.Down, To: health.Up}, answers + "was=down" + address},
			{health.Transition{From: health.Failing, To: health.Up}, answers + "was=failing" + address},
			{health.Transition{From: health.Down, To: health.Up, Assumed: true}, assumed + "was=down" + address},
			{health.Transition{From: health.Up, To: health.Failing, Unanswered: 5}, failing},
			{health.Transition{From: health.Failing, To: health.Down}, down},
			{health.Transition{From: health.Down, To: health.Down, Alive: true}, ""},
			{health.Transition{NoStatusServer: true}, noStatus},
			{health.Transition{From: health.Up, To: health.Down, NoAddress: errAddressGone}, ""},
		} {
			var want []string
			if row.want != "" {
				want = []string{row.want}
			}
			time.Sleep(row.t.At - time.Since(start))
			s.endpoint(wire.KindAccess).log.transition(row.t)
			if got := journal.take(); !slices.Equal(got, want) {
				t.Errorf("step %d, %v to %v: the log says %q, expected %q", i, row.t.From, row.t.To, got, want)
			}
		}
	})
}

// An answer that came after its request had gone to another server is counted. The
// first that took as long as the route's patience, or longer, is notified of.
func TestLogOfLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		journal := f.journal()
		s := f.server(t, "a", nil)
		defer s.Close()
		const patience = 10 * time.Second
		for _, row := range []struct {
			took time.Duration
			want int
		}{{patience - 1, 0}, {patience, 1}, {2 * patience, 0}} {
			s.endpoint(wire.KindAccess).log.lateAnswer(row.took, patience)
			got := journal.take()
			if len(got) != row.want || row.want == 1 && got[0] != `level=WARN msg="the server answered after its request had gone to another server as well; where answers take that long, as when a user must confirm a login, set patience of the route above it" server=a port=auth address=192.0.2.1:1812 answered_after=10s patience=10s` {
				t.Errorf("after %v: the log says %q, expected %d lines", row.took, got, row.want)
			}
		}
		if n := f.count(t, "radsec_gw_replies_after_move_total", "server", "a", "port", "auth"); n != 3 {
			t.Errorf("%v late answers are counted, expected 3", n)
		}
	})
}

// A late answer that took less than the route's patience is not a reason to change that.
func TestLateAnswerWithinPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		journal := f.journal()
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "a")
		f.net.slow("a", 7*time.Second) // it goes to b after 6.6 s at the latest
		pass(time.Minute)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		<-o.ended
		if n := f.count(t, "radsec_gw_replies_after_move_total"); n != 1 || !o.answered() {
			t.Errorf("%s, %v late answers; expected one that is late", o.outcome(), n)
		}
		if got := journal.take(); len(got) != 0 {
			t.Errorf("the log says %q, expected nothing", got)
		}
		pass(time.Minute)
	})
}

// What the log suggests to look at after an error.
// Rules: P84
func TestHintOf(t *testing.T) {
	for _, row := range []struct {
		err  syscall.Errno
		hint string
	}{
		{syscall.EHOSTUNREACH, "no route to the server's address"},
		{syscall.ENETUNREACH, "no route to the server's address"},
		{syscall.ENETDOWN, "no route to the server's address"},
		{syscall.EHOSTDOWN, "no route to the server's address"},
		{syscall.EPERM, "packet filter"},
		{syscall.EACCES, "packet filter"},
		{syscall.ENODEV, "check the network"},
		{syscall.ENXIO, "check the network"},
		{syscall.ENOPROTOOPT, "takes no UDP"},
		{syscall.EOPNOTSUPP, "check the network"},
		{syscall.EPROTO, "check the network"},
		{syscall.EADDRNOTAVAIL, "own address has changed"},
		{syscall.EINVAL, "own address has changed"},
		{syscall.EMFILE, "too many files"},
		{syscall.ENFILE, "too many files"},
		{syscall.ENOBUFS, "short of memory"},
		{syscall.ENOMEM, "short of memory"},
		{syscall.EAGAIN, "check the network"},
		{syscall.ECONNREFUSED, "check the network"},
		{syscall.EIO, "check the network"},
	} {
		if hint := new(Server).hintOf(row.err); !strings.Contains(hint, row.hint) {
			t.Errorf("%v: the hint is %q, expected something of %q", row.err, hint, row.hint)
		}
	}
}

// What the log says of a reply that does not verify depends on what else was seen.
// Rules: P51
func TestLogOfBadReplies(t *testing.T) {
	for _, row := range []struct {
		name        string
		err         error
		answered    bool
		outstanding int64 // of 256
		want        string
	}{
		{"without Message-Authenticator", wire.ErrNoMessageAuthenticator, false, 0, "has no Message-Authenticator and was dropped; update the server"},
		{"the first", wire.ErrResponseAuthenticator, false, 256, "nor did any before; the likeliest cause is that the secret here and on the server differ"},
		{"later", wire.ErrResponseAuthenticator, true, 0, "it may be an answer that was too late, or forged, or the secret was changed on one side"},
		{"later, and a quarter is free", wire.ErrMessageAuthenticator, true, 191, "it may be an answer that was too late, or forged, or the secret was changed on one side"},
		{"later, and less is free", wire.ErrMessageAuthenticator, true, 192, "nearly all Identifiers are in use, so it is likely an answer that was too late"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			journal := f.journal()
			s := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 1 })
			defer s.Close()
			e := s.endpoint(wire.KindAccess)
			if row.answered {
				e.health.Answered(f.backend.Now(), time.Second)
			}
			e.outstanding.Store(row.outstanding)
			defer e.outstanding.Store(0)
			e.log.unverifiedReply(nil, row.err)
			if got := journal.take(); len(got) != 1 || !strings.HasPrefix(got[0], `level=WARN msg="a reply from the server `) || !strings.Contains(got[0], row.want) || !strings.Contains(got[0], " server=a port=auth address=192.0.2.1:1812 error=") {
				t.Errorf("%s: the log says %q, expected one line with %q", row.name, got, row.want)
			}
		})
	}
}
