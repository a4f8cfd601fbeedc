package tlsfront

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"radsec-gw/metrics"
)

// helloSize is how much of a ClientHello is read before its connection takes a
// slot: the record's type, version and length, and the message's type (RFC 8446
// §5.1, §4). It holds nothing but that, so that a silent connection is small.
const helloSize = 6

// startsHello reports whether b, which may be shorter than helloSize, is what a
// ClientHello starts with.
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

// errNotHello is that the peer sent something else than a ClientHello.
var errNotHello = errors.New("no ClientHello")

// readHello reads what a ClientHello starts with. ahead was read before. It
// returns what it has read, also beside an error.
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

// serve is a connection's goroutine: it waits for the first bytes of a
// ClientHello, behind a PROXY header if the connection is proxied, then for a
// slot, and does the handshake. The deadline of the silent time is set.
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
		result, text := s.noHello(first, err)
		s.closeArrival(a, result, text)
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
	if ok, end := s.admission.slotResult(a); !ok {
		s.closeArrival(a, end, "no slot for its handshake became free in time")
		return
	}
	s.handshake(ctx, a, first)
}

// acceptProxied reads the PROXY header of a load balancer, which says whose connection it
// is. It returns what was read beyond that, and reports whether the connection goes on.
func (s *Server) acceptProxied(a *arrival) (ahead []byte, ok bool) {
	balancer := a.remote.Addr()
	remote, ahead, err := readProxyHeader(a.conn)
	switch {
	case errors.Is(err, errPortCheck):
		s.closeArrival(a, metrics.HandshakePeerClosed, "")
		return nil, false
	case err != nil:
		s.closeArrival(a, metrics.HandshakeBadProxyHeader, err.Error())
		return nil, false
	}
	a.remote = remote
	result, text := s.identify(a)
	switch {
	case result == metrics.HandshakeOK:
		return ahead, true
	case remote.Addr() == balancer: // LOCAL or UNKNOWN: the load balancer's own check of the port
		s.rejectQuietly(a.conn, remote, s.admission.exit(a, result), text)
	default:
		s.closeArrival(a, result, text)
	}
	return nil, false
}

// identify takes up the source that a PROXY header has named.
func (s *Server) identify(a *arrival) (metrics.Handshake, string) {
	p := s.policy.Load()
	if !p.identities.Lists(a.remote.Addr()) {
		return metrics.HandshakeUnknownNetwork, p.identities.Unlisted(a.remote.Addr())
	}
	return s.admission.identify(a, sourceOf(a.remote.Addr()), p.cfg.admissionLimits())
}

// noHello says why no handshake began. b is what was read.
func (s *Server) noHello(b []byte, err error) (metrics.Handshake, string) {
	switch {
	case errors.Is(err, errNotHello):
		return metrics.HandshakeNotTLS, describeNonTLS(b)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return metrics.HandshakeSilent, fmt.Sprintf("expected a TLS ClientHello within %v, got %d bytes", s.policy.Load().cfg.SilentTimeout, len(b))
	case len(b) == 0:
		return metrics.HandshakePeerClosed, ""
	}
	return metrics.HandshakePeerClosed, fmt.Sprintf("expected a TLS ClientHello, got %d bytes: %v", len(b), err)
}

// closeArrival ends a connection whose handshake did not begin.
func (s *Server) closeArrival(a *arrival, result metrics.Handshake, text string) {
	if result == metrics.HandshakeNotTLS {
		linger(a.conn)
	}
	switch end := s.admission.exit(a, result); {
	case end == metrics.HandshakeDisplaced:
		s.reject(a.conn, a.remote, end, "closed to let others in: a bound was reached, and its source had the most connections that had not begun a handshake")
	case end == metrics.HandshakeShutdown:
		s.reject(a.conn, a.remote, end, "the gateway stops")
	case end == metrics.HandshakePeerClosed && text == "":
		s.rejectQuietly(a.conn, a.remote, end, "the peer connected and closed, such as a load balancer that looks whether the port is open")
	default:
		s.reject(a.conn, a.remote, end, text)
	}
}
