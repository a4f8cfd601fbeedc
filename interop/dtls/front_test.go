package dtls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/bench/material"
	"radsec-gw/certs"
	"radsec-gw/dtlsfront"
	"radsec-gw/dtlsfront/handshake"
)

// secret is that of RADIUS/DTLS (RFC 7360 §2.1).
const secret = "radius/dtls"

// front is a front that answers each request as a RADIUS server that grants everything to
// everybody whose password is "hello".
type front struct {
	server  *dtlsfront.Server
	address netip.AddrPort
	config  handshake.Config
	files   material.Files
	opened  atomic.Int64
}

// newFront starts a front.
func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{}
	var err error
	if f.files, err = material.Write(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	pair, err := certs.LoadPair(f.files.ServerCert, f.files.ServerKey)
	if err != nil {
		t.Fatal(err)
	}
	cas, err := certs.LoadCertificates(f.files.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cas[0])
	f.config = handshake.Config{Certificate: pair, ClientCAs: roots, Verify: func(certs []*x509.Certificate) error {
		_, err := certs[0].Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		return err
	}}
	l, err := dtlsfront.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	if f.server, err = dtlsfront.New(dtlsfront.Config{Listeners: []*dtlsfront.Listener{l}, Acceptor: f, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	f.address = l.Addr()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.server.Serve(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return f
}

func (f *front) Ended(netip.AddrPort, dtlsfront.Count, error) {}

func (f *front) Admit(netip.AddrPort) bool { return true }
func (f *front) Handshake(netip.AddrPort, *tls.ClientHelloInfo) (handshake.Config, error) {
	return f.config, nil
}
func (f *front) Move(*dtlsfront.Session, netip.AddrPort) bool { return false }
func (f *front) Accept(s *dtlsfront.Session) (dtlsfront.Sink, error) {
	f.opened.Add(1)
	return &answerer{s}, nil
}

// answerer is the Sink of a session.
type answerer struct{ session *dtlsfront.Session }

func (a *answerer) Packet(p []byte) error {
	request, err := radius.Parse(p, []byte(secret))
	if err != nil {
		return err
	}
	code := radius.CodeAccessAccept
	switch request.Code {
	case radius.CodeAccessRequest:
		if rfc2865.UserPassword_GetString(request) != "hello" {
			code = radius.CodeAccessReject
		}
	case radius.CodeAccountingRequest:
		code = radius.CodeAccountingResponse
	case radius.CodeStatusServer:
	default:
		return fmt.Errorf("a packet of code %d", request.Code)
	}
	b, err := request.Response(code).Encode()
	if err != nil {
		return err
	}
	a.session.Send(b)
	return nil
}

func (a *answerer) Flush() error     { a.session.Flush(); return nil }
func (a *answerer) Outstanding() int { return 0 }
func (a *answerer) Awaited() int     { return 0 }
func (a *answerer) Keep() bool       { return true }
func (a *answerer) Closed()          {}
