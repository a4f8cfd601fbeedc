// Package tlsfront accepts RadSec connections (RADIUS over TLS), names each
// client by its verified certificate, cuts the stream into packets, and writes
// the answers back.
//
// The way of a connection, a file for each step:
//
//	listen.go     opens the sockets
//	server.go     starts, stops, and waits for every goroutine
//	accept.go     accepts, and what happens without a file descriptor
//	admission.go  who may go on when many arrive (slots.go, bysource.go)
//	hello.go      waits for the first bytes of a ClientHello
//	handshake.go  TLS under one deadline; how it failed becomes a metric and a log line
//	alpn.go       which version of RADIUS is spoken (RFC 9765)
//	proxy.go      whose connection it is, when a load balancer stands before us
//	refusal.go    what a refusal of package identity counts as: that says whether the
//	              certificate is good and which configured client this is
//	policy.go     changing all of that while connections are open
//	session.go    the read loop: drain what is there, then flush
//	idle.go       when a connection is idle
//	incoming.go   octets to crypto/tls, and when to wait for more
//	cutter.go     plaintext to packets (RFC 6614 §3.4)
//	throttle.go   packets beyond a limit wait, then are shed
//	outgoing.go   sealed records gathered into one system call
//	close.go      the end and its reason: close_notify, and the goodbyes of TCP
//	drain.go      the end of all connections, when nothing is outstanding
//
// A peer can make the gateway hold only what is bounded: a silent connection by
// a deadline and their number, a handshake likewise and by its bytes, an idle
// connection by crypto/tls's own state and nothing else, a started packet by 4096
// octets and the packet timeout, unread answers by WriteBuffer and the write timeout.
//
// Go's crypto/tls cannot send the alert access_denied that RFC 6614bis §3.4
// suggests for a client outside its networks. A source that no client lists
// is closed before the handshake; one that lies in another client's networks
// is closed with close_notify after it. The log line has the reason.
package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// Handler takes the packets of one connection. Its methods are called by the
// goroutine of the connection's read loop, but for Outstanding, which any goroutine may
// call; none may block.
type Handler interface {
	// Packet takes one whole packet as cut by its Length, 20..4096 octets.
	// p is valid during the call only, and may be changed. An error closes the
	// connection and is logged with its text.
	Packet(p []byte) error
	// Refuse takes a packet of RADIUS/1.1 that is beyond a limit, as Packet does: it
	// counts the fate, and answers the packet (RFC 9765 §6.1). Flush follows.
	Refuse(p []byte, fate metrics.Fate)
	// Flush says that everything the connection held has been handed over:
	// what was gathered should be sent on. An error closes the connection and is
	// logged with its text, as one of Packet does.
	Flush() error
	// Outstanding returns how many requests are unanswered; one counts until its
	// answer has been given to Send. MaxOutstanding, IdleTimeout and Drain go by it.
	Outstanding() int
	// Closed is called once, after the last Packet; Send reports false from
	// then on.
	Closed()
}

// Client is one configured client: who it is, its limits, and who takes its packets.
// Its Name is the label of metrics, too.
type Client struct {
	identity.Client

	// Open makes the Handler of a new connection. It must not block.
	Open func(*Session) Handler

	MaxConnections int // at one time; 0: as many as the server takes

	PacketsPerSecond int // on all connections together; 0: no limit
	OctetsPerSecond  int // of RADIUS, likewise
}

// Config says how to serve. A zero value means the default that
// is given here, or that package defaults has for the field.
type Config struct {
	Listeners []net.Listener // Serve closes them; SetListeners replaces them

	Certificate    tls.Certificate        // the server's own, with its chain
	ClientCA       []*x509.Certificate    // what clients without a CA of their own are verified with, never the system's (RFC 6614bis §3.3.1)
	Intermediates  []*x509.Certificate    // known, not trusted by themselves
	ClientAuth     identity.ClientAuth    // 0: RequireCertificate; New warns about anything else
	MinVersion     uint16                 // 0: TLS 1.2, the least allowed
	CipherSuites   []uint16               // for TLS 1.2; nil: Go's choice
	RadiusVersions []string               // offered by ALPN, of Radius10 and Radius11 (RFC 9765 §3); nil: no ALPN, RADIUS/1.0
	Clients        []*Client              // the first match counts
	CRLs           []*x509.RevocationList // each signed by a certificate of ClientCA, of a client's CA or of Intermediates
	RefuseStaleCRL bool                   // refuse the certificates of an issuer whose newest list is out of date; else warn
	TicketKeys     [][32]byte             // of session tickets, the first encrypts (RFC 5077 §5.5); nil: made at random, changed daily
	ProxyNetworks  []netip.Prefix         // load balancers that begin with a PROXY header; others must not

	SilentTimeout    time.Duration // from accepting a connection to the first bytes of its ClientHello
	HandshakeTimeout time.Duration // from there to the end of the handshake
	PacketTimeout    time.Duration // from the first octet of a packet to its last
	WriteTimeout     time.Duration // for a client to take what is written
	IdleTimeout      time.Duration // without a request, Status-Server not counted, and with none outstanding; 0: never

	MaxConnections          int // handshakes included
	MaxPerSource            int // from one IPv4 address or IPv6 /64, handshakes included; 0: no limit
	MaxDescriptors          int // the most connections that the process has descriptors for; 0: no limit but MaxConnections
	MaxHandshakes           int // at one time; more wait, and see admission.go
	MaxPacketsPerConnection int // closed after so many; 0: no limit
	MaxOutstanding          int // requests of one connection; more wait, then are shed; 0: no limit but the Identifiers (256 of a kind), or what the handler sets
	WriteBuffer             int // octets that may wait for one client to read; 0: 256 KiB

	Log     *slog.Logger // nil: slog.Default
	Metrics *metrics.Metrics
}

func (c *Config) setDefaults() {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&c.SilentTimeout, defaults.SilentTimeout)
	def(&c.HandshakeTimeout, defaults.HandshakeTimeout)
	def(&c.PacketTimeout, defaults.PacketTimeout)
	def(&c.WriteTimeout, defaults.WriteTimeout)
	defN := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	defN(&c.MaxConnections, defaults.MaxConnections)
	defN(&c.MaxHandshakes, defaults.MaxHandshakes)
	defN(&c.WriteBuffer, 256<<10)
	if c.MinVersion == 0 {
		c.MinVersion = tls.VersionTLS12
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
}

func (c *Config) validate() error {
	switch {
	case len(c.Listeners) == 0:
		return errors.New("no listener: give at least one address to listen on")
	case c.Metrics == nil:
		return errors.New("no Metrics")
	case len(c.Certificate.Certificate) == 0:
		return errors.New("no server certificate")
	case c.MinVersion < tls.VersionTLS12:
		return fmt.Errorf("minimum version %s: TLS 1.2 is the least allowed (RFC 9325 §3.1.1)", tls.VersionName(c.MinVersion))
	case validateVersions(c.RadiusVersions) != nil:
		return validateVersions(c.RadiusVersions)
	case c.WriteBuffer < 2*maxSealed:
		return fmt.Errorf("write buffer of %d octets: at least %d are needed", c.WriteBuffer, 2*maxSealed)
	}
	for _, client := range c.Clients {
		if client.Open == nil {
			return fmt.Errorf("client %q has no Open function: nobody would take its packets", client.Name)
		}
	}
	return nil
}
