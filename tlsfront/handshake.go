package tlsfront

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"time"

	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// baseConfig returns what a handshake begins with: the keys of session tickets,
// which crypto/tls makes and changes daily, and the way to the policy in force.
func (s *Server) baseConfig() *tls.Config {
	return &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		p := s.policy.Load()
		if c, ok := hello.Conn.(*conn); ok {
			c.policy = p
			c.recordOffer(hello)
		}
		return p.handshakeConfig(hello), nil
	}}
}

// tlsConfig returns crypto/tls's configuration. What is not set is left to Go:
// its order of cipher suites.
//
// crypto/tls is told to take any certificate, and the Verifier of package identity verifies it, for
// full handshakes and for resumed ones alike. The alert for one that does not
// verify is always bad_certificate then.
func tlsConfig(p *policy) *tls.Config {
	auth := map[identity.ClientAuth]tls.ClientAuthType{
		identity.RequireCertificate:  tls.RequireAnyClientCert,
		identity.OptionalCertificate: tls.RequestClientCert,
		identity.NoCertificate:       tls.NoClientCert,
	}[p.cfg.ClientAuth]
	c := &tls.Config{
		Certificates: []tls.Certificate{p.cfg.Certificate},
		ClientCAs:    p.verifier.NamesSent(), // empty: no names, which TLS allows
		ClientAuth:   auth,
		MinVersion:   p.cfg.MinVersion,
		CipherSuites: p.cfg.CipherSuites,

		CurvePreferences: keyExchanges,
		// One packet is one record (RFC 6614bis §4.1): no splitting to
		// segments' size at the start of a connection.
		DynamicRecordSizingDisabled: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			if r := p.verifier.Verify(cs.PeerCertificates, time.Now()); r != nil {
				return refusalOf(r)
			}
			return nil
		},
	}
	if len(p.cfg.TicketKeys) > 0 {
		c.SetSessionTicketKeys(p.cfg.TicketKeys)
	}
	return c
}

// keyExchanges are the key exchanges offered, those of crypto/tls but for the
// slow ones: with P-521 a ClientHello costs us 2.6 ms, thirty times one with
// X25519. crypto/tls has its own order.
var keyExchanges = []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384}

// handshake does TLS on a connection that has a slot, and begins its session. All of
// the handshake has one deadline: a peer that drips gets no more time than one that
// stops. first is what was read of its ClientHello.
func (s *Server) handshake(ctx context.Context, a *arrival, first []byte) {
	growStack()
	raw, remote := a.conn, a.remote
	c := s.newConn(raw)
	c.in.ahead, c.in.clear.keep = first, maxWatched
	c.arrival, c.cpu = a, s.cpu
	t := tls.Server(c, s.tls)
	c.acquireCPU()
	err := t.Handshake()
	if err != nil {
		err = c.nameUnparsed(err)
		c.pauseAfterFailure()
	}
	c.releaseCPU()
	c.arrival = nil
	if ctx.Err() != nil && err != nil {
		err = ctx.Err()
	}
	if end := s.admission.handshakeDone(a); end != metrics.HandshakeOK {
		s.reject(raw, remote, end, "closed to let others in: all slots were taken, its source had the most, and its peer was waited for")
		return
	}
	if err != nil {
		c.alertVersion(err)
		result, text := s.classify(ctx, c, err)
		if c.in.allowance.exceeded {
			a.abort() // what it sends on is not worth reading, and no alert has gone to it
		}
		s.refuse(c, remote, result, text, certificateIn(err))
		return
	}
	s.startSession(c, t, remote)
}

// startSession names the client of a connection whose handshake is done, and starts its
// session, which runs on a goroutine of its own, because this one's stack has grown
// with the certificates and would stay so.
func (s *Server) startSession(c *conn, t *tls.Conn, remote netip.AddrPort) {
	counts := s.cfg.Metrics.TLS()
	state := t.ConnectionState()
	p := identity.NewPeer(remote.Addr(), state.PeerCertificates)
	v11, unfit := c.policy.versionOf(&state)
	if unfit != "" {
		t.Write(requireRadius11())
		t.CloseWrite()
		s.refuse(c, remote, metrics.HandshakeRadiusVersion, unfit, p.Leaf)
		return
	}
	session := &Session{server: s, remote: remote, conn: c, tls: t, v11: v11, cutter: cutter{pool: &s.packetBufs}}
	if r := s.register(session, p, &state); r != nil {
		t.CloseWrite()
		s.refuse(c, remote, r.result, r.text, p.Leaf)
		return
	}
	counts.CountHandshake(metrics.HandshakeOK)
	counts.CountSession(state.Version, state.DidResume)
	session.info = connectionInfo(session, p, &state)
	s.cfg.Metrics.Opened(session.info)
	s.logFunc(remote, slog.LevelInfo, "RadSec connection accepted", func() []any {
		return append([]any{"client", session.Client().Name, "peer", remote,
			"version", tls.VersionName(state.Version), "cipher_suite", tls.CipherSuiteName(state.CipherSuite),
			"resumed", state.DidResume, "radius", cmp.Or(state.NegotiatedProtocol, protocol10)}, identity.Describe(p.Leaf)...)
	})
	c.Conn.SetDeadline(time.Time{})
	c.offered = offer{}
	c.in.establish()
	c.out.establish(session.writeFailed)
	session.handler = session.Client().Open(session)
	session.attached.Store(true)
	s.wg.Go(session.run)
}

// growStack makes the goroutine's stack as large as a handshake needs, in one step
// while there is nothing on it: to grow and copy it step by step, in the depths of
// crypto/tls, costs several times as much.
//
//go:noinline
func growStack() {
	var room [12 << 10]byte
	runtime.KeepAlive(&room)
}

// connectionInfo is what operators see of the session while it is open.
func connectionInfo(session *Session, p *identity.Peer, state *tls.ConnectionState) *metrics.Connection {
	c := &metrics.Connection{Client: session.Client().Name, Remote: session.remote, Version: tls.VersionName(state.Version), Since: time.Now()}
	if p.Leaf != nil {
		c.Subject, c.NotAfter = p.Leaf.Subject.String(), p.Leaf.NotAfter
	}
	return c
}

// newConn makes the connection that crypto/tls works on.
func (s *Server) newConn(raw net.Conn) *conn {
	c := &conn{Conn: raw}
	c.out = outgoing{pool: &s.recordBufs, bound: s.cfg.WriteBuffer, timeout: s.policy.Load().cfg.WriteTimeout,
		tls: s.cfg.Metrics.TLS(), wg: &s.wg}
	c.out.init(raw)
	c.raw = c.out.raw
	return c
}

// refuse counts and logs a connection that gets no session, and closes it. An
// alert may be on its way to the peer.
func (s *Server) refuse(c *conn, remote netip.AddrPort, result metrics.Handshake, text string, leaf *x509.Certificate) {
	level := slog.LevelWarn
	if result == metrics.HandshakeShutdown {
		level = slog.LevelDebug
	}
	s.logFunc(remote, level, "RadSec connection refused", func() []any {
		return append([]any{"peer", remote, "result", result, "error", text}, identity.Describe(leaf)...)
	})
	s.cfg.Metrics.TLS().CountHandshake(result)
	linger(c.Conn)
	c.Conn.Close()
	s.admission.connectionClosed(sourceOf(remote.Addr()))
}
