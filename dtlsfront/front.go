package dtlsfront

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"radsec-gw/dtlsfront/handshake"
	"radsec-gw/identity"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// FrontConfig is the configuration of a Front.
type FrontConfig struct {
	Listeners []*Listener // Serve closes them; SetListeners replaces them
	Limits

	Name           string                      // of the listener, in metrics
	Shared         *sessions.Shared            // with the other listeners
	Certificates   []sessions.NamedCertificate // its own first; sessions.CertificateFor says which is presented
	Identity       identity.Config             // without Clients and Own
	Clients        []*sessions.Client          // the first match counts
	MaxOutstanding int                         // requests of one session; more are dropped; 0: no limit but the Identifiers
	KeyLog         io.Writer                   // the secrets of sessions are written there; nil: nowhere

	Log     *slog.Logger
	Metrics *metrics.Metrics
}

// Front is a Server for the clients of a configuration, which may change while it serves.
type Front struct {
	// static after construction
	server *Server
	table  *sessions.Table
	counts *metrics.Listener
	cfg    FrontConfig
	ended  chan struct{} // closed when Serve returns
	lines  frontLines

	policy atomic.Pointer[policy]
}

// frontLines limits the log lines that peers cause.
type frontLines struct{ peers, unlisted *logs.Sources }

// policy is everything that a change of configuration replaces. It is immutable.
type policy struct {
	*sessions.Policy
	cfg FrontConfig
	cas *x509.CertPool // whose names clients are told
}

// NewFront checks cfg and returns a front.
func NewFront(cfg FrontConfig) (*Front, error) {
	f := &Front{cfg: cfg, counts: cfg.Metrics.Listener(cfg.Name), ended: make(chan struct{})}
	f.lines = frontLines{logs.NewSources(cfg.Log, "RADIUS/DTLS sessions"), logs.NewRareSources(cfg.Log, "ClientHellos from addresses that no client lists", time.Hour)}
	p, err := f.prepare(cfg)
	if err != nil {
		return nil, err
	}
	f.policy.Store(p)
	f.table = sessions.NewTable(cfg.Metrics, f.counts, p.Policy)
	f.server, err = New(Config{Listeners: cfg.Listeners, Acceptor: f, Limits: cfg.Limits, ConnectionIDs: true, CPU: cfg.Shared.CPU, Log: cfg.Log, Drops: cfg.Metrics.DTLS()})
	return f, err
}

// Change is a configuration that a front can apply.
type Change struct {
	front  *Front
	policy *policy
}

// Prepare checks a configuration for the front, which changes nothing yet.
func (f *Front) Prepare(cfg FrontConfig) (*Change, error) {
	p, err := f.prepare(cfg)
	if err != nil {
		return nil, err
	}
	return &Change{f, p}, nil
}

func (f *Front) prepare(cfg FrontConfig) (*policy, error) {
	p := &policy{cfg: cfg}
	if len(cfg.Certificates) == 0 {
		return nil, errors.New("dtlsfront: no server certificate")
	}
	who := cfg.Identity
	for _, c := range cfg.Certificates {
		who.Own = append(who.Own, c.Certificate.Certificate[0])
	}
	var before *sessions.Policy
	if now := f.policy.Load(); now != nil {
		before = now.Policy
	}
	var err error
	if p.Policy, err = sessions.NewPolicy(who, cfg.Clients, f.cfg.Shared, before); err != nil {
		return nil, fmt.Errorf("dtlsfront: %w", err)
	}
	p.cas = p.Verifier.NamesSent()
	return p, nil
}

// Apply replaces the configuration of the front. Listeners, Name, Shared, Log and Metrics do
// not change. Sessions that the new configuration does not allow are closed: see
// sessions.Table.Apply.
func (c *Change) Apply() {
	f := c.front
	f.table.Apply(c.policy.Policy, func() { f.policy.Store(c.policy) })
	f.setLimits(c.policy)
}

// setLimits has the limits of a policy hold that are not the table's.
func (f *Front) setLimits(p *policy) {
	f.server.SetLimits(p.cfg.Limits)
	f.counts.SetLimit(f.server.limits.Load().MaxSessions)
}

// Serve receives until ctx is done, then closes the sessions and the sockets. It returns after
// every goroutine has ended. It must be called once only.
func (f *Front) Serve(ctx context.Context) error {
	defer close(f.ended)
	f.table.Begin(func() { f.setLimits(f.policy.Load()) })
	for _, a := range f.Addrs() {
		f.cfg.Log.Info("listening for RADIUS/DTLS", "address", a.String())
	}
	watching, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		f.table.Watch(watching, f.cfg.Log, func() bool { return f.policy.Load().cfg.Identity.RefuseStaleCRL })
	}()
	err := f.server.Serve(ctx)
	stop()
	<-watched
	return err
}

// Wait waits until Serve has returned.
func (f *Front) Wait() { <-f.ended }

// Drain ends every session as soon as nothing is outstanding in either direction, and says why. It
// returns when the last has ended or ctx is done.
func (f *Front) Drain(ctx context.Context, why string) {
	f.StartDraining(why)
	f.AwaitDrained(ctx)
}

// StartDraining is Drain without the wait: when it returns, no session is accepted any more.
func (f *Front) StartDraining(why string) {
	f.table.Drain(why)
	f.server.StartDraining(why)
}

// AwaitDrained waits, after StartDraining, as Drain does.
func (f *Front) AwaitDrained(ctx context.Context) { f.server.AwaitDrained(ctx) }

// SetListeners makes the front accept sessions on ls only: see Server.SetListeners.
func (f *Front) SetListeners(ls []*Listener, within time.Duration) { f.server.SetListeners(ls, within) }

// Addrs returns the addresses of the listeners, in their order.
func (f *Front) Addrs() []net.Addr { return f.server.addrs() }

// Config returns the current configuration.
func (f *Front) Config() FrontConfig { return f.policy.Load().cfg }

// StaleLists is as that of tlsfront.Server.
func (f *Front) StaleLists() (list []identity.StaleList, all bool) { return f.table.StaleLists() }

// AwaitedIssuers is as that of tlsfront.Server.
func (f *Front) AwaitedIssuers() []string { return f.table.Policy().Verifier.AwaitedIssuers() }

// Admit implements Acceptor.
func (f *Front) Admit(remote netip.AddrPort) bool {
	p := f.policy.Load()
	if p.Lists(remote.Addr()) {
		return true
	}
	f.lines.unlisted.Log(sourceOf(remote.Addr()), slog.LevelWarn, "RADIUS/DTLS session refused", func() []any {
		r := p.Unlisted(remote.Addr())
		return []any{"peer", remote, "result", r.Result, "error", r.Text}
	})
	return false
}

// Handshake implements Acceptor.
func (f *Front) Handshake(remote netip.AddrPort, offer *tls.ClientHelloInfo) (handshake.Config, error) {
	f.counts.AddHandshaking(1)
	p := f.policy.Load()
	cfg := handshake.Config{
		Certificate: *sessions.CertificateFor(p.cfg.Certificates, offer),
		ClientCAs:   p.cas,
		KeyLog:      p.cfg.KeyLog,
		Optional:    p.cfg.Identity.Auth != identity.RequireCertificate,
		Verify: func(certs []*x509.Certificate) error {
			if r := p.Verify(certs, time.Now()); r != nil {
				return r
			}
			return nil
		},
	}
	if p.wantsPSK(remote.Addr(), offer) {
		cfg.PSK = func(identity []byte) ([]byte, error) {
			key, r := p.PSK(remote.Addr(), identity)
			if r != nil {
				return nil, r
			}
			return key, nil
		}
	}
	return cfg, nil
}

// wantsPSK reports whether a client is asked for a PSK. One that offers to use a PSK has one, and
// many offer suites for certificates, too. One that has nothing else is asked wherever it is: so its
// identity is in the log.
func (p *policy) wantsPSK(source netip.Addr, offer *tls.ClientHelloInfo) bool {
	return slices.Contains(offer.CipherSuites, uint16(handshake.SuitePSK)) &&
		(p.HavePSK(source) || !slices.ContainsFunc(offer.CipherSuites, handshake.IsCertificateSuite))
}

// Ended implements Acceptor.
func (f *Front) Ended(remote netip.AddrPort, how Count, err error) {
	f.counts.AddHandshaking(-1)
	if how == HandshakeComplete {
		f.counts.CountHandshake(metrics.HandshakeOK)
		return
	}
	f.refused(remote, how, err)
}

// Refused implements Acceptor.
func (f *Front) Refused(remote netip.AddrPort, err error) { f.refused(remote, HandshakeRefused, err) }

func (f *Front) refused(remote netip.AddrPort, how Count, err error) {
	result, level := resultOf(how, err)
	f.counts.CountHandshake(result)
	f.lines.peers.Log(sourceOf(remote.Addr()), level, "RADIUS/DTLS session refused", func() []any {
		fields := []any{"peer", remote, "result", result, "error", err}
		switch r := (*sessions.Refusal)(nil); {
		case !errors.As(err, &r):
			fields[len(fields)-1] = explained(err)
		case r.PSK != "":
			fields = append(fields, "psk_identity", r.PSK)
		default:
			fields = append(fields, identity.Describe(r.Leaf)...)
		}
		return fields
	})
}

// Accept implements Acceptor.
func (f *Front) Accept(s *Session) (Sink, error) {
	m := &member{Session: s, front: f, number: f.cfg.Shared.Opened.Add(1)}
	if s.replaces != nil {
		if before, ok := s.replaces.sink.(*clientSink); ok {
			m.entry.Replaces = before.m
		}
	}
	r := f.table.Register(m)
	m.entry.Replaces = nil
	if r != nil {
		r.Leaf, _ = s.Security()
		if s.psk != nil {
			r.PSK = s.psk.Identity
		}
		return nil, r
	}
	leaf, version := s.Security()
	m.entry.Info = &metrics.Connection{Client: m.Client().Name, Listener: f.cfg.Name, Remote: s.RemoteAddr(), Version: version, Since: time.Now()}
	if leaf != nil {
		m.entry.Info.Subject, m.entry.Info.NotAfter = leaf.Subject.String(), leaf.NotAfter
	}
	if s.psk != nil {
		m.entry.Info.PSKIdentity = s.psk.Identity
	}
	f.cfg.Metrics.Opened(m.entry.Info)
	s.fields = []any{"client", m.Client().Name, "connection", m.number}
	sink := &clientSink{m.Client().Open(m), m}
	s.accepted = func(level slog.Level) {
		f.lines.peers.Log(sourceOf(s.RemoteAddr().Addr()), level, "RADIUS/DTLS session accepted", func() []any {
			return append([]any{"client", m.Client().Name, "peer", s.RemoteAddr(), "connection", m.number, "version", version, "cipher_suite", s.suite}, s.describe()...)
		})
	}
	return sink, nil
}

// describe returns who the client is, as attributes of a log line.
func (s *Session) describe() []any {
	if s.psk != nil {
		return []any{"psk_identity", s.psk.Identity} // one that is configured
	}
	leaf, _ := s.Security()
	return identity.Describe(leaf)
}

// Move implements Acceptor.
func (f *Front) Move(s *Session, remote netip.AddrPort) bool {
	sink, ok := s.sink.(*clientSink)
	return ok && f.table.Reassess(sink.m, s.peerAt(remote.Addr()))
}
