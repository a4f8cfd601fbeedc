package audit

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"layeh.com/radius"

	"radsec-gw/metrics"
)

// steps are the steps of a request that moves from a server with another secret.
func steps(e *Event) []*Step {
	local, remote := netip.MustParseAddrPort("192.0.2.1:40002"), netip.MustParseAddrPort("192.0.2.7:11812")
	at := func(s Step) *Step {
		s.Event, s.Local, s.Remote = *e, local, remote
		s.Server, s.Port = "radius-a", metrics.PortAuth
		return &s
	}
	reply := []byte{2, 44, 0, 20, 19: 7}
	sent := append([]byte{1, 44}, e.Request.Packet[2:]...)
	return []*Step{
		at(Step{Kind: StepSent, Packet: sent, Sends: 1, Why: "the only server of its route"}),
		at(Step{Kind: StepReplied, Packet: reply, Result: metrics.ReplyBadResponseAuthenticator}),
		at(Step{Kind: StepResent, Packet: sent, Sends: 2}),
		at(Step{Kind: StepMoves, Why: "the server is failing"}),
		at(Step{Kind: StepReplied, Packet: reply, Result: metrics.ReplyAccepted}),
	}
}

// Level debug tells the way of a request, with names as configured and no secret; other
// levels write nothing of it.
//
// Fault O5.
func TestDebugTellsTheWay(t *testing.T) {
	e := login(t, "bob@example.org", radius.CodeAccessAccept)
	e.Number, e.Route = 12, "example.org"
	out := &safeBuffer{}
	var level slog.LevelVar
	h, end := newHub(t, out, func(c *Config) { c.Requests, c.User, c.Station, c.Level = false, Cut, None, level.Level })
	play := func() {
		h.Arrived(e)
		for _, s := range steps(e) {
			h.Step(s)
		}
		h.Ended(e)
	}
	if play(); h.Watching() || h.Listening() {
		t.Error("the hub listens at level info, expected that it does not")
	}
	level.Set(slog.LevelDebug)
	h.LevelChanged()
	play()
	level.Set(slog.LevelInfo)
	h.LevelChanged()
	play()
	end()
	var got []string
	for line := range strings.Lines(out.String()) {
		_, line, _ = strings.Cut(line, " ")
		got = append(got, strings.TrimSpace(line))
	}
	const of = " request=12 client=campus "
	const server = "server=radius-a port=auth address=192.0.2.7:11812 source=192.0.2.1:40002 "
	want := []string{
		`level=DEBUG msg="request arrived"` + of + `peer=192.0.2.9:40001 kind=access identifier=7 octets=243 realm=example.org user=@example.org`,
		`level=DEBUG msg="request sent"` + of + `route=example.org ` + server + `packet=Access-Request identifier=44 octets=243 transmission=1 because="the only server of its route"`,
		`level=DEBUG msg="reply ignored"` + of + server + `packet=Access-Accept identifier=44 octets=20 result=bad_response_authenticator because="wrong Response Authenticator: the server has another secret, or answers another request"`,
		`level=DEBUG msg="request sent again"` + of + server + `packet=Access-Request identifier=44 octets=243 transmission=2`,
		`level=DEBUG msg="request moves on"` + of + server + `because="the server is failing"`,
		`level=DEBUG msg="reply received"` + of + server + `packet=Access-Accept identifier=44 octets=20 result=accepted`,
		`level=DEBUG msg="request ended"` + of + `peer=192.0.2.9:40001 kind=access identifier=7 route=example.org server=radius-a port=auth fate=relayed reply=Access-Accept ms=1.234 tries=1`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log has\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A health check, and a datagram that nobody waits for, have no request.
func TestDebugOfChecks(t *testing.T) {
	out := &safeBuffer{}
	h, end := newHub(t, out, func(c *Config) { c.Level = func() slog.Level { return slog.LevelDebug } })
	s := steps(login(t, "bob", radius.CodeAccessAccept))
	s[0].Event, s[1].Event = Event{Server: "a", Port: "auth"}, Event{Server: "a", Port: "auth"}
	s[0].Check, s[1].Result = true, metrics.ReplyUnmatched
	h.Step(s[0])
	h.Step(s[1])
	end()
	for _, want := range []string{`msg="health check sent" server=a`, `msg="reply ignored" server=a`, `because="no request waits for it: it came too late, or twice"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log has\n%s\nexpected %q in it", out.String(), want)
		}
	}
}

// Each result of a reply has words of its own.
func TestMeaningOfEachResult(t *testing.T) {
	seen := map[string]metrics.Result{}
	for r := range metrics.NumResults {
		text := (&Step{Result: r}).meaning()
		if other, ok := seen[text]; ok && text != "verified" || text == r.String() {
			t.Errorf("result %v means %q, as %v does; expected words of its own", r, text, other)
		}
		seen[text] = r
	}
}
