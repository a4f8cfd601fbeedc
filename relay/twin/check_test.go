package twin_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"radsec-gw/relay"
	"radsec-gw/relay/twin"
)

// outcomes counts what happened, so that a test finds out whether it tests anything.
var outcomes = map[string]int{}

// session is one connection of a client, and what the twin knows of it.
type session struct {
	t    testing.TB
	bed  *testbed
	v11  bool
	link *relay.Connection
	peer *peer

	dead    bool                // the connection is to be closed
	over    bool                // the outcome is not determined: nothing more is compared
	flights []*flight           // all so far, in order
	history map[[2]byte]*flight // RADIUS/1.0: the last by code and Identifier; 1.1: by Token, see key
	tokens  map[[4]byte]*flight
	pending map[place]*flight // Identifiers that the servers have not answered
	drawn   map[[16]byte]bool // Request Authenticators of the gateway's
}

// place is where a request waits for its server.
type place struct {
	from *conn
	id   byte
}

// flight is one request of the client on its way.
type flight struct {
	req    []byte
	sent   []byte // the last copy that a server got
	from   *conn
	tried  []*server
	waits  bool   // for its answer
	answer []byte // what the client got
	at     time.Time
}

func open(t testing.TB, b *testbed, v11 bool) *session {
	p := &peer{v11: v11}
	b.own() // before any request is sent
	b.arrivals()
	return &session{
		t: t, bed: b, v11: v11, peer: p, link: b.gateway.Open(relay.NewClient(b.client), p, netip.MustParseAddrPort("192.0.2.200:1024"), relay.Origin{}),
		history: map[[2]byte]*flight{}, tokens: map[[4]byte]*flight{}, pending: map[place]*flight{}, drawn: map[[16]byte]bool{},
	}
}

// close ends the session: the servers answer what they have not answered yet, so that
// the testbed is as before.
func (s *session) close() {
	for len(s.pending) > 0 {
		for at, f := range s.pending {
			s.release(at, f)
		}
		for _, d := range s.bed.arrivals() { // moved on
			s.pending[place{d.from, d.octets[1]}] = &flight{sent: d.octets, from: d.from}
		}
	}
	s.link.Closed()
}

// release has the server answer a request as simply as possible.
func (s *session) release(at place, f *flight) {
	code := map[byte]byte{1: 3, 4: 5, 40: 42, 43: 45}[f.sent[0]]
	list := []twin.Attr{{T: 80, V: make([]byte, 16)}}
	r := twin.Assemble(code, at.id, [16]byte{}, list)
	twin.Sign(r, [16]byte(f.sent[4:20]), true, at.from.server.secret)
	at.from.reply(r)
	delete(s.pending, at)
}

// expectation is the expected result of one packet: a copy at a server, or an answer.
type expectation struct {
	flight  *flight     // of the copy; nil: none
	allowed []twin.Spec // of the answer; nil: none
	req     []byte
	same    []byte    // the exact answer; nil: not known
	at      time.Time // when it was first given
}

// ask sends the client's packets to the gateway in one burst, and compares the results
// with the twin's.
func (s *session) ask(burst ...[]byte) {
	s.t.Helper()
	if s.dead || s.over {
		return
	}
	var want []expectation
	var err error
	for _, p := range burst {
		if err == nil { // otherwise the connection's reader has ended
			err = s.link.Packet(bytes.Clone(p))
		}
		if s.dead {
			continue
		}
		if e, ok := s.expect(p); ok {
			want = append(want, e)
		}
	}
	err = errors.Join(err, s.link.Flush())
	for _, e := range want { // the gateway keeps an answer for five seconds
		s.over = s.over || e.same != nil && time.Since(e.at) > 4*time.Second
	}
	if s.over {
		s.settle()
		return
	}
	if (err != nil) != s.dead {
		s.t.Fatalf("%s: the connection is closed: expected %t, got %v\n%s", s.name(), s.dead, err, dump("client sent", burst...))
	}
	s.compare(want, s.bed.arrivals(), s.peer.got())
}

func (s *session) name() string { return fmt.Sprintf("bed %q, RADIUS/1.1 %t", s.bed.name, s.v11) }

// expect returns the expected result of a packet; false: none.
func (s *session) expect(p []byte) (e expectation, ok bool) {
	e.req = p
	switch twin.FateOf(p, s.v11, clientText) {
	case twin.Close:
		outcomes["closed"]++
		s.dead = true
		return e, false
	case twin.Discard:
		outcomes["discarded"]++
		return e, false
	case twin.Status:
		outcomes["status answered"]++
		e.allowed = []twin.Spec{{Code: twin.AccessAccept}}
		return e, true
	}
	old := s.last(p)
	if old != nil && s.repeats(old.req, p) {
		if old.waits {
			outcomes["duplicate"]++
			return e, false // P61
		}
		if !s.v11 && old.answer != nil {
			outcomes["repeated"]++
			e.same, e.at = old.answer, old.at
			return e, true
		}
	}
	if old != nil && old.waits {
		if s.v11 { // P124
			s.dead = true
			return e, false
		}
		outcomes["superseded"]++
		old.waits = false // P60
	}
	s.forget(p)
	if !twin.Routable(p) {
		outcomes["not routable"]++
		e.allowed = twin.Unserved(p[0], s.v11, s.bed.policy, 502)
		return e, true
	}
	if own := s.bed.own(); own != nil {
		if _, looped := twin.Marker(p, own); looped {
			outcomes["looped"]++
			e.allowed = twin.Unserved(p[0], s.v11, s.bed.policy, 502)
			return e, true
		}
	}
	return s.forward(e)
}

// forward expects a request to be forwarded, if it can be.
func (s *session) forward(e expectation) (expectation, bool) {
	_, errs := twin.ForServer(e.req, s.v11, clientText, otherText, s.bed.nas, nil)
	if len(errs) > 0 {
		outcomes["refused"]++
		e.allowed = twin.Refused(e.req[0], s.v11, s.bed.policy, errs)
	} else {
		e.flight = &flight{req: e.req, waits: true}
		s.flights = append(s.flights, e.flight)
		s.remember(e.flight)
	}
	return e, true
}

// last returns the last request with the Identifier or the Token of p.
func (s *session) last(p []byte) *flight {
	if s.v11 {
		return s.tokens[[4]byte(p[4:8])]
	}
	return s.history[[2]byte{p[0], p[1]}]
}

func (s *session) remember(f *flight) {
	if s.v11 {
		s.tokens[[4]byte(f.req[4:8])] = f
	} else {
		s.history[[2]byte{f.req[0], f.req[1]}] = f
	}
}

func (s *session) forget(p []byte) {
	if s.v11 {
		delete(s.tokens, [4]byte(p[4:8]))
	} else {
		delete(s.history, [2]byte{p[0], p[1]})
	}
}

// repeats reports whether a packet is a repetition of another (P61, P122).
func (s *session) repeats(a, b []byte) bool {
	if s.v11 {
		return a[0] == b[0] && bytes.Equal(a[20:], b[20:])
	}
	return bytes.Equal(a, b)
}

// compare compares what the servers and the client got with what was expected of a
// burst.
func (s *session) compare(want []expectation, copies []datagram, answers [][]byte) {
	s.t.Helper()
	for _, e := range want {
		if len(answers) > 0 && e.same != nil && bytes.Equal(answers[0], e.same) ||
			len(answers) > 0 && e.allowed != nil && twin.CheckAnswer(answers[0], e.req, s.v11, clientText, e.allowed) == nil {
			answers = answers[1:]
			continue
		}
		problem := errors.New("a request was repeated and its answer was not")
		silent := e.allowed != nil && twin.CheckAnswer(nil, e.req, s.v11, clientText, e.allowed) == nil
		switch {
		case e.flight != nil:
			copies, problem = s.arrive(e.flight, copies)
		case silent:
			continue
		case e.allowed != nil:
			problem = twin.CheckAnswer(slices.Concat(answers, [][]byte{nil})[0], e.req, s.v11, clientText, e.allowed)
		}
		if problem != nil {
			s.t.Fatalf("%s: %v\n%s%s%s", s.name(), problem, dump("client sent", e.req), dumpDatagrams(copies), dump("client got", answers...))
		}
	}
	if len(copies) > 0 || len(answers) > 0 {
		s.t.Fatalf("%s: more was sent than expected\n%s%s", s.name(), dumpDatagrams(copies), dump("client got", answers...))
	}
}

// arrive finds the copy of a request among those that the servers got.
func (s *session) arrive(f *flight, copies []datagram) (left []datagram, problem error) {
	if len(copies) == 0 {
		return nil, errors.New("no server got the request")
	}
	for i, d := range copies {
		err := s.checkCopy(f, d)
		if err == nil {
			f.sent, f.from = d.octets, d.from
			outcomes[map[bool]string{true: "relayed", false: "moved"}[len(f.tried) == 0]]++
			f.tried = append(f.tried, d.from.server)
			s.pending[place{d.from, d.octets[1]}] = f
			return slices.Delete(copies, i, i+1), nil
		}
		if problem == nil || d.octets[0] == f.req[0] {
			problem = err
		}
	}
	return copies, problem
}

// checkCopy returns an error unless a datagram is the expected copy of a request.
func (s *session) checkCopy(f *flight, d datagram) error {
	want, errs := twin.ForServer(f.req, s.v11, clientText, d.from.server.secret, s.bed.nas, d.octets)
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if !bytes.Equal(want, d.octets) {
		return fmt.Errorf("the server's copy differs%s", difference(want, d.octets))
	}
	if err := s.checkMarker(f, d); err != nil {
		return err
	}
	if s.pending[place{d.from, d.octets[1]}] != nil {
		return fmt.Errorf("Identifier %d is in use on that socket", d.octets[1]) // P26
	}
	if slices.Contains(f.tried, d.from.server) {
		return errors.New("the server has had it before")
	}
	if ra := [16]byte(d.octets[4:20]); d.octets[0] == twin.AccessRequest && (s.v11 || ra != [16]byte(f.req[4:20])) {
		if s.drawn[ra] {
			return errors.New("the Request Authenticator was used before") // P23
		}
		s.drawn[ra] = true
	}
	return nil
}

// checkMarker checks the gateway's own Proxy-State: it is omitted only where it does not
// fit, which does not fail the request (P31, P33), and at the last hop, which cannot be
// part of a loop.
func (s *session) checkMarker(f *flight, d datagram) error {
	whole, _ := twin.ForServer(f.req, s.v11, clientText, d.from.server.secret, s.bed.nas, nil)
	var want []byte
	last := s.bed.nas != "" && (f.req[0] == 40 || f.req[0] == 43)
	if own := s.bed.own(); own != nil && !last {
		value, _ := twin.Marker(f.req, own)
		want = append([]byte{33, byte(2 + len(value) + 4)}, value...)
		want = append(want, d.octets[len(d.octets)-4:]...) // a name for the server
	}
	if len(whole)+len(want) > 4096 {
		want = nil
	}
	if got := d.octets[len(whole):]; !bytes.Equal(got, want) {
		return fmt.Errorf("a Proxy-State of the gateway's own: expected % x, got % x", want, got)
	}
	return nil
}

// settle ends a session of which nothing more is compared.
func (s *session) settle() {
	for _, d := range s.bed.arrivals() {
		s.pending[place{d.from, d.octets[1]}] = &flight{sent: d.octets, from: d.from}
	}
	s.peer.got()
}
