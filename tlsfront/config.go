package tlsfront

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/identity"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// Config is the configuration of a Server. A zero value means the default that is given
// here, or that package defaults has for the field.
type Config struct {
	Listeners []net.Listener // Serve closes them; SetListeners replaces them

	Name   string           // of the listener, in metrics; "": that of [listen]
	Shared *sessions.Shared // with the other listeners; nil: nothing is

	Certificate    tls.Certificate             // the server's own, with its chain
	Certificates   []sessions.NamedCertificate // further ones; sessions.CertificateFor says which is presented
	ClientCA       []*x509.Certificate         // for clients without a CA of their own, never the system's (RFC 6614bis §3.3.1)
	Others         []identity.Other            // clients that are not let in here; only texts of refusals name them
	Intermediates  []*x509.Certificate         // used for building paths, not trusted by themselves
	ClientAuth     identity.ClientAuth         // 0: RequireCertificate; New warns about anything else
	MinVersion     uint16                      // 0: TLS 1.2, the least allowed
	CipherSuites   []uint16                    // for TLS 1.2; nil: Go's choice
	RadiusVersions []string                    // offered by ALPN, of Radius10 and Radius11 (RFC 9765 §3); nil: no ALPN, RADIUS/1.0
	Clients        []*sessions.Client          // the first match counts
	CRLs           []*x509.RevocationList      // each signed by a certificate of ClientCA, of a client's CA or of Intermediates
	RefuseStaleCRL bool                        // refuse certificates of an issuer whose newest list is out of date; else only warn
	Fetched        identity.Fetched            // what is known of lists that are fetched by URL
	TicketKeys     [][32]byte                  // session ticket keys, the first encrypts (RFC 5077 §5.5); nil: random ones, changed daily
	ProxyNetworks  []netip.Prefix              // load balancers, which must send a PROXY header; others must not

	KeyLog *KeyLog // the secrets of connections are written there; nil: nowhere

	SilentTimeout    time.Duration // from accepting a connection to the first bytes of its ClientHello
	HandshakeTimeout time.Duration // from then to the end of the handshake
	PacketTimeout    time.Duration // from the first octet of a packet to its last
	WriteTimeout     time.Duration // for a client to receive what is written
	IdleTimeout      time.Duration // without a request (Status-Server does not count) and none outstanding; 0: never

	MaxConnections          int // including handshakes
	MaxPerSource            int // from one IPv4 address or IPv6 /64, including handshakes; 0: no limit
	MaxDescriptors          int // connections that the process has descriptors for; 0: no limit but MaxConnections
	DescriptorLimit         int // descriptors that the process may have open, for the log; 0: unknown
	MaxHandshakes           int // at one time; more wait, see admission.go
	MaxPacketsPerConnection int // the connection is closed after them; 0: no limit
	MaxOutstanding          int // requests of one connection; more wait, then are shed; 0: no limit but the Identifiers (256 of each kind), or that of the Handler
	WriteBuffer             int // octets that may wait until a client reads; 0: 256 KiB

	Log     *slog.Logger // nil: slog.Default
	Metrics *metrics.Metrics
}

func (c *Config) setDefaults() {
	c.Name = cmp.Or(c.Name, defaults.Listener)
	if c.Shared == nil && c.Metrics != nil {
		c.Shared = sessions.NewShared(c.Metrics, runtime.GOMAXPROCS(0)/2)
	}
	c.MinVersion = cmp.Or(c.MinVersion, tls.VersionTLS12)
	c.SilentTimeout = cmp.Or(c.SilentTimeout, defaults.SilentTimeout)
	c.HandshakeTimeout = cmp.Or(c.HandshakeTimeout, defaults.HandshakeTimeout)
	c.PacketTimeout = cmp.Or(c.PacketTimeout, defaults.PacketTimeout)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, defaults.WriteTimeout)
	c.MaxConnections = cmp.Or(c.MaxConnections, defaults.MaxConnections)
	c.MaxHandshakes = cmp.Or(c.MaxHandshakes, defaults.MaxHandshakes)
	c.WriteBuffer = cmp.Or(c.WriteBuffer, 256<<10)
	if c.Log == nil {
		c.Log = slog.Default()
	}
}

// certificates returns the certificates in their order.
func (c *Config) certificates() []sessions.NamedCertificate {
	return append([]sessions.NamedCertificate{{Certificate: c.Certificate}}, c.Certificates...)
}

func (c *Config) validate() error {
	switch {
	case len(c.Listeners) == 0:
		return errors.New("no listener: give at least one address to listen on")
	case c.Metrics == nil:
		return errors.New("no Metrics")
	case len(c.Certificate.Certificate) == 0:
		return errors.New("no server certificate")
	case slices.ContainsFunc(c.Certificates, func(n sessions.NamedCertificate) bool { return len(n.Certificate.Certificate) == 0 }):
		return errors.New("a further certificate is empty")
	case c.MinVersion < tls.VersionTLS12:
		return fmt.Errorf("minimum version %s: TLS 1.2 is the least allowed (RFC 9325 §3.1.1)", tls.VersionName(c.MinVersion))
	case validateVersions(c.RadiusVersions) != nil:
		return validateVersions(c.RadiusVersions)
	case c.WriteBuffer < 2*maxSealed:
		return fmt.Errorf("write buffer of %d octets: at least %d are needed", c.WriteBuffer, 2*maxSealed)
	}
	for _, client := range c.Clients {
		if client.Open == nil {
			return fmt.Errorf("client %q has no Open function: nothing would handle its packets", client.Name)
		}
	}
	return nil
}
