package tlsfront

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// helloSize is how much of a ClientHello is read before its connection gets a slot: the
// record's type, version and length, and the message's type (RFC 8446 §5.1, §4). It is
// small, so that a silent connection uses little memory.
const helloSize = 6

// startsHello reports whether b, which may be shorter than helloSize, is the start of a
// ClientHello.
func startsHello(b []byte) bool {
	const handshake, clientHello, longest = 22, 1, 1 << 14
	switch n := len(b); {
	case n > 0 && b[0] != handshake, n > 1 && b[1] != 3, n > 5 && b[5] != clientHello:
		return false
	case n > 4:
		length := int(b[3])<<8 | int(b[4])
		return length > 0 && length <= longest
	}
	return true
}

// errNotHello is the error that the peer sent something else than a ClientHello.
var errNotHello = errors.New("no ClientHello")

// readHello reads the start of a ClientHello. ahead was read before. It returns what it
// has read, also with an error.
func readHello(r io.Reader, ahead []byte) ([]byte, error) {
	b := append(make([]byte, 0, max(helloSize, len(ahead))), ahead...)
	var err error
	for {
		switch {
		case !startsHello(b):
			return b, errNotHello
		case len(b) >= helloSize:
			return b, nil
		case err != nil:
			return b, err
		}
		var n int
		n, err = r.Read(b[len(b):helloSize])
		b = b[:len(b)+n]
	}
}

// serve is a connection's goroutine: it waits for the start of a ClientHello, after a
// PROXY header if the connection is proxied, then for a slot, and does the handshake. The
// deadline of SilentTimeout is already set.
func (s *Server) serve(ctx context.Context, a *arrival, proxied bool) {
	var first []byte
	if proxied {
		ahead, ok := s.acceptProxied(a)
		if !ok {
			return
		}
		first = ahead
	}
	first, err := readHello(a.conn, first)
	if err != nil {
		s.closeArrival(a, s.noHello(first, err))
		return
	}
	deadline := time.Now().Add(s.policy.Load().cfg.HandshakeTimeout)
	ready, full := s.admission.requestSlot(a, deadline)
	if full {
		s.logSlotsFull()
	}
	if ready != nil {
		t := time.NewTimer(time.Until(deadline))
		select {
		case <-ready:
		case <-t.C:
		}
		t.Stop()
	}
	if ok, why := s.admission.slotResult(a); !ok {
		s.closeArrival(a, sessions.Refusef(why, "no slot for its handshake became free in time"))
		return
	}
	s.handshake(ctx, a, first)
}

// acceptProxied reads the PROXY header of a load balancer, which contains the source. It
// returns what was read beyond the header, and reports whether the connection continues.
func (s *Server) acceptProxied(a *arrival) (ahead []byte, ok bool) {
	balancer := a.remote.Addr()
	remote, ahead, err := readProxyHeader(a.conn)
	if err != nil {
		r := portCheck
		if !errors.Is(err, portCheck) {
			r = sessions.Refusef(metrics.HandshakeBadProxyHeader, "%v", err)
		}
		s.closeArrival(a, r)
		return nil, false
	}
	a.remote = remote
	r := s.admitProxied(a)
	switch {
	case r == nil:
		return ahead, true
	case remote.Addr() == balancer: // LOCAL or UNKNOWN: the load balancer's own check of the port
		s.rejectQuietly(a.conn, remote, sessions.Refusef(s.admission.exit(a, r.Result), "%s", r.Text))
	default:
		s.closeArrival(a, r)
	}
	return nil, false
}

// admitProxied admits a connection again, from the source in its PROXY header.
func (s *Server) admitProxied(a *arrival) *sessions.Refusal {
	p := s.policy.Load()
	if r := p.Unlisted(a.remote.Addr()); r != nil {
		return r
	}
	return s.admission.enterProxied(a, sourceOf(a.remote.Addr()), p.cfg.admissionLimits())
}

// noHello returns the refusal of a connection whose ClientHello could not be read. b is
// what was read.
func (s *Server) noHello(b []byte, err error) *sessions.Refusal {
	switch {
	case errors.Is(err, errNotHello):
		return sessions.Refusef(metrics.HandshakeNotTLS, "%s", describeNonTLS(b))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return sessions.Refusef(metrics.HandshakeSilent, "expected a TLS ClientHello within %v, got %d bytes", s.policy.Load().cfg.SilentTimeout, len(b))
	case len(b) == 0:
		return portCheck
	}
	return sessions.Refusef(metrics.HandshakePeerClosed, "expected a TLS ClientHello, got %d bytes: %v", len(b), err)
}

// closeArrival closes a connection whose handshake did not start.
func (s *Server) closeArrival(a *arrival, r *sessions.Refusal) {
	if r.Result == metrics.HandshakeNotTLS {
		linger(a.conn)
	}
	switch why := s.admission.exit(a, r.Result); {
	case why == metrics.HandshakeDisplaced:
		s.reject(a.conn, a.remote, sessions.Refusef(why, "closed to admit others: a limit was reached, and its source had the most connections that had not started a handshake"))
	case why == metrics.HandshakeShutdown:
		s.reject(a.conn, a.remote, sessions.Refusef(why, "the gateway stops"))
	case why == r.Result && r == portCheck:
		s.rejectQuietly(a.conn, a.remote, r)
	default:
		s.reject(a.conn, a.remote, sessions.Refusef(why, "%s", r.Text))
	}
}
