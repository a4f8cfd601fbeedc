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
	"radsec-gw/sessions"
)

// baseConfig returns the configuration that a handshake starts with: it has the session
// ticket keys, which crypto/tls makes and changes daily, and selects the configuration of
// the current policy.
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

// tlsConfig returns the configuration of crypto/tls for a policy.
//
// crypto/tls accepts any certificate, and the Verifier of package identity verifies it,
// in full and resumed handshakes alike. So the alert for one that does not verify is
// always bad_certificate.
func tlsConfig(p *policy) *tls.Config {
	auth := map[identity.ClientAuth]tls.ClientAuthType{
		identity.RequireCertificate:  tls.RequireAnyClientCert,
		identity.OptionalCertificate: tls.RequestClientCert,
		identity.NoCertificate:       tls.NoClientCert,
	}[p.cfg.ClientAuth]
	c := &tls.Config{
		// It is set without Certificates, so that it is asked even if there is only one.
		GetCertificate: p.certificateFor,

		ClientCAs:    p.Verifier.NamesSent(), // empty: no names are sent, which TLS allows
		ClientAuth:   auth,
		MinVersion:   p.cfg.MinVersion,
		CipherSuites: p.cfg.CipherSuites,

		CurvePreferences: keyExchanges,
		// One packet is one record (RFC 6614bis §4.1): records are not split into TCP
		// segments at the start of a connection.
		DynamicRecordSizingDisabled: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			if r := p.Verify(cs.PeerCertificates, time.Now()); r != nil {
				return r
			}
			return nil
		},
	}
	if p.cfg.KeyLog != nil {
		c.KeyLogWriter = p.cfg.KeyLog
	}
	if len(p.cfg.TicketKeys) > 0 {
		c.SetSessionTicketKeys(p.cfg.TicketKeys)
	}
	return c
}

// certificateFor returns the certificate that a client gets, and notes it for the log.
func (p *policy) certificateFor(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	chosen := sessions.CertificateFor(p.cfg.certificates(), hello)
	if c, ok := hello.Conn.(*conn); ok {
		c.presented = chosen
	}
	return chosen, nil
}

// keyExchanges are the supported key exchanges: those of crypto/tls except slow ones. With
// P-521 a ClientHello costs us 2.6 ms, thirty times one with X25519. Their order is up to
// crypto/tls.
var keyExchanges = []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384}

// handshake does the TLS handshake of a connection that has a slot, and starts its
// session. There is one deadline for the whole handshake, however slowly the peer sends.
// first is what was read of its ClientHello.
func (s *Server) handshake(ctx context.Context, a *arrival, first []byte) {
	growStack()
	raw, remote := a.conn, a.remote
	c := s.newConn(raw)
	c.in.ahead, c.in.clear.keep = first, maxHelloKept
	c.arrival, c.cpu = a, s.cfg.Shared.CPU
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
	if why := s.admission.handshakeDone(a); why != metrics.HandshakeOK {
		s.reject(raw, remote, sessions.Refusef(why, "closed to admit others: all slots were in use, its source had the most, and it waited for its peer"))
		return
	}
	if err != nil {
		c.alertVersion(err)
		if c.in.allowance.exceeded {
			a.abort() // without reading the rest: no alert was sent
		}
		s.closeAfterHandshake(c, remote, s.classify(ctx, c, err))
		return
	}
	s.startSession(c, t, remote)
}

// startSession identifies the client of a connection after its handshake, and starts its
// session on a new goroutine, because the stack of this one has grown and would stay
// large.
func (s *Server) startSession(c *conn, t *tls.Conn, remote netip.AddrPort) {
	state := t.ConnectionState()
	p := identity.NewPeer(remote.Addr(), state.PeerCertificates)
	v11, r := c.policy.versionOf(&state)
	if r != nil {
		t.Write(requireRadius11())
		t.CloseWrite()
		r.Leaf = p.Leaf
		s.closeAfterHandshake(c, remote, r)
		return
	}
	session := &Session{server: s, remote: remote, conn: c, tls: t, v11: v11, number: s.cfg.Shared.Opened.Add(1), cutter: cutter{pool: &s.packetBufs}}
	if r := s.table.Register(session); r != nil {
		t.CloseWrite()
		r.Leaf = p.Leaf
		s.closeAfterHandshake(c, remote, r)
		return
	}
	s.counts.CountHandshake(metrics.HandshakeOK)
	s.counts.CountSession(state.Version, state.DidResume)
	session.entry.Info = connectionInfo(session, p, &state)
	s.cfg.Metrics.Opened(session.entry.Info)
	session.describe = description(session, p.Leaf, &state)
	c.Conn.SetDeadline(time.Time{})
	c.offered = offer{}
	c.in.establish()
	c.out.establish(session.writeFailed)
	session.handler = session.Client().Open(session)
	session.activity.Handler, session.activity.Started = session.handler, s.started
	session.attached.Store(true)
	s.wg.Go(session.run)
}

// description returns a function that returns the attributes of the line that says that the
// session was accepted. Thousands may wait for their first request, so it holds little.
func description(session *Session, leaf *x509.Certificate, state *tls.ConnectionState) func() []any {
	version, suite, resumed, radius := state.Version, state.CipherSuite, state.DidResume, cmp.Or(state.NegotiatedProtocol, protocol10)
	return func() []any {
		return append([]any{"client", session.Client().Name, "peer", session.remote, "connection", session.number,
			"version", tls.VersionName(version), "cipher_suite", tls.CipherSuiteName(suite),
			"resumed", resumed, "radius", radius}, identity.Describe(leaf)...)
	}
}

// growStack grows the goroutine's stack to the size that a handshake needs, in one step
// while it is almost empty: to grow and copy it in several steps within crypto/tls costs
// several times as much.
//
//go:noinline
func growStack() {
	var space [12 << 10]byte
	runtime.KeepAlive(&space)
}

// connectionInfo returns what the metrics show of the session while it is open.
func connectionInfo(session *Session, p *identity.Peer, state *tls.ConnectionState) *metrics.Connection {
	c := &metrics.Connection{Client: session.Client().Name, Listener: session.server.cfg.Name, Remote: session.remote, Version: tls.VersionName(state.Version), Since: time.Now()}
	if p.Leaf != nil {
		c.Subject, c.NotAfter = p.Leaf.Subject.String(), p.Leaf.NotAfter
	}
	return c
}

// newConn returns the connection that crypto/tls uses.
func (s *Server) newConn(raw net.Conn) *conn {
	c := &conn{Conn: raw}
	c.out = outgoing{pool: &s.recordBufs, bound: s.cfg.WriteBuffer, timeout: s.policy.Load().cfg.WriteTimeout,
		tls: s.counts, wg: &s.wg}
	c.out.init(raw)
	c.raw = c.out.raw
	return c
}

// closeAfterHandshake counts and logs a connection whose handshake failed, or that gets no
// session after it, and closes it so that an alert reaches the peer.
func (s *Server) closeAfterHandshake(c *conn, remote netip.AddrPort, r *sessions.Refusal) {
	level := slog.LevelWarn
	if r.Result == metrics.HandshakeShutdown {
		level = slog.LevelDebug
	}
	s.logFunc(remote, level, "RadSec connection refused", func() []any {
		return append([]any{"peer", remote, "result", r.Result, "error", r.Text}, identity.Describe(r.Leaf)...)
	})
	s.counts.CountHandshake(r.Result)
	linger(c.Conn)
	c.Conn.Close()
	s.admission.connectionClosed(sourceOf(remote.Addr()))
}
