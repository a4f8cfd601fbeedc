package dtlsfront

import (
	"crypto/x509"
	"log/slog"
	"net/netip"
	"time"

	"radsec-gw/identity"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
	"radsec-gw/wire"
)

// member is a session of a client of a Front, as package sessions and the client's Handler see
// it.
type member struct {
	*Session
	// static after construction
	front  *Front
	number uint64 // of all sessions of the gateway
	entry  sessions.Entry
}

// Client returns the configured client of the session.
func (m *member) Client() *sessions.Client { return m.entry.Client() }

// Number returns the number of the session, from 1 since the gateway has started.
func (m *member) Number() uint64 { return m.number }

// Version11 reports that the session does not speak RADIUS/1.1: DTLS 1.2 cannot (RFC 9765
// §3.4).
func (m *member) Version11() bool { return false }

// Entry returns the session's entry in the table.
func (m *member) Entry() *sessions.Entry { return &m.entry }

// Peer returns who the session is with now, and the certificates of its handshake.
func (m *member) Peer() (*identity.Peer, []*x509.Certificate) {
	return m.peerAt(m.RemoteAddr().Addr()), m.certs
}

// peerAt returns who the session is with if the client is at an address.
func (s *Session) peerAt(source netip.Addr) *identity.Peer {
	if s.psk != nil {
		return identity.NewPSKPeer(source, identity.PSK(*s.psk))
	}
	return identity.NewPeer(source, s.certs)
}

// Terminate ends the session. It does not wait.
func (m *member) Terminate(r metrics.Reason, text string) { m.terminate(r, text) }

// StartDraining ends the session as soon as nothing is outstanding.
func (m *member) StartDraining(why string) {
	m.drain(metrics.ClosedShutdown, why+"; nothing was outstanding")
}

// clientSink gives a member's packets to the client's Handler.
type clientSink struct {
	sessions.Handler
	m *member
}

// Packet gives a packet to the Handler, or drops it if its client exceeds a limit: there is no
// way to slow it down, and it sends again.
func (s *clientSink) Packet(p []byte) error {
	st := s.m.entry.State()
	st.Metrics.Received(len(p))
	code := wire.Code(p[0])
	if code != codeStatusServer && !wire.IsReply(code) { // neither makes anything outstanding
		over, err := s.tooManyOutstanding()
		if err != nil {
			return err
		}
		if over && !s.Repeats(p) {
			return s.shed(code, metrics.FateTooManyOutstanding)
		}
	}
	if l := st.Limiter(); l != nil {
		if wait, _ := l.Allow(time.Now(), len(p)); wait > 0 {
			return s.shed(code, metrics.FateRateLimited)
		}
	}
	return s.Handler.Packet(p)
}

// tooManyOutstanding reports whether a further request exceeds the limit of the session. The
// Handler may not have counted the packets that it was given since the last Flush: what has not
// been flushed is, where that matters. An error closes the session.
func (s *clientSink) tooManyOutstanding() (bool, error) {
	limit := s.m.front.policy.Load().cfg.MaxOutstanding
	if limit == 0 {
		return false, nil
	}
	if before := s.m.unflushed - 1; before > 0 && s.Outstanding()+before >= limit { // without this packet
		s.m.unflushed = 1
		if err := s.Handler.Flush(); err != nil {
			return false, err
		}
	}
	return s.Outstanding() >= limit, nil
}

// shed drops a packet that exceeds a limit.
func (s *clientSink) shed(code wire.Code, fate metrics.Fate) error {
	s.m.unflushed-- // the Handler does not get it
	s.m.entry.State().Metrics.Count(wire.KindOf(code), fate)
	s.m.logShed(fate)
	return nil
}

// logShed logs, once a minute for each client, that its packets are dropped.
func (m *member) logShed(fate metrics.Fate) {
	m.entry.State().Sheds.Log(func() logs.Line {
		return logs.Line{Log: m.front.cfg.Log, Level: slog.LevelWarn, Text: "packets of a client are dropped because it sends more than its limit: is it at fault, or is the limit too low?",
			Fields: []any{"client", m.Client().Name, "connection", m.RemoteAddr(), "fate", fate}}
	})
}

// Closed tells the Handler that the session has ended, and removes it from the table.
func (s *clientSink) Closed() {
	s.Handler.Closed()
	s.m.front.table.Unregister(s.m, s.m.Ended())
}
