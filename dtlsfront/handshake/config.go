package handshake

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/crypto/ciphersuite"
	"github.com/pion/dtls/v4/pkg/protocol"
	"github.com/pion/logging"
)

// Config is what a handshake is done with. It must not be modified while one uses it.
type Config struct {
	Certificate tls.Certificate // the server's own, with its chain
	// ClientCAs are the names that the client is told; nil: none. pion does not verify with
	// them, Verify does.
	ClientCAs *x509.CertPool
	// Optional accepts a client without a certificate.
	Optional bool
	// Verify is called with the client's certificates, of which the first is its own and has
	// been used to sign; none if Optional, or a PSK. An error refuses the client, with the
	// alert bad_certificate.
	Verify func(certs []*x509.Certificate) error
	// PSK returns the key of an identity, or why the client is refused; nil: the client needs a
	// certificate, otherwise a PSK and no certificate. It is called with what the client sent.
	PSK func(identity []byte) ([]byte, error)
	// KeyLog is where secrets are written to, for Wireshark; nil: nowhere.
	KeyLog io.Writer
	// NewCID returns a Connection ID, always of the same size; nil: the client is asked for none.
	NewCID func() []byte
	// Retransmit is the time to the first retransmission of a flight; 0: a second (RFC 6347
	// §4.2.4.1).
	Retransmit time.Duration
}

// mtu is the largest datagram of a handshake: with the headers of IPv6 and UDP it fits into
// the 1280 octets that every path carries (RFC 8200 §5).
const mtu = 1200

// suites are the cipher suites: AEAD, because package record has no other, and with ephemeral
// keys (RFC 9325 §4.2).
var suites = []ciphersuite.ID{
	ciphersuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, ciphersuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	ciphersuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, ciphersuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	ciphersuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, ciphersuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// IsCertificateSuite reports whether a cipher suite is one for certificates that is accepted.
func IsCertificateSuite(id uint16) bool { return slices.Contains(suites, ciphersuite.ID(id)) }

// SuitePSK is the cipher suite for a PSK: the only one of pion that is AEAD and has ephemeral
// keys, without which whoever learns the PSK can read what was sent before (RFC 9813 §4.2.1).
const SuitePSK ciphersuite.ID = ciphersuite.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256

// options returns the configuration for pion. What the client shows of itself is kept in s.
func (c *Config) options(s *Handshake) []dtls.ServerOption {
	auth, offered := dtls.RequireAnyClientCert, suites
	if c.Optional {
		auth = dtls.RequestClientCert
	}
	o := []dtls.ServerOption{
		dtls.WithClientAuth(auth),
		dtls.WithMinVersion(protocol.Version1_2), dtls.WithMaxVersion(protocol.Version1_2),
		dtls.WithMTU(mtu),
		dtls.WithLoggerFactory(silent{}),
		dtls.WithVerifyPeerCertificate(func(raw [][]byte, _ [][]*x509.Certificate) error {
			certs := make([]*x509.Certificate, len(raw))
			for i, der := range raw {
				var err error
				if certs[i], err = x509.ParseCertificate(der); err != nil {
					return err
				}
			}
			s.certs = certs
			return c.Verify(certs)
		}),
	}
	if c.ClientCAs != nil {
		o = append(o, dtls.WithClientCAs(c.ClientCAs))
	}
	if c.PSK != nil {
		offered = []ciphersuite.ID{SuitePSK} // pion refuses a certificate beside it
		o = append(o, dtls.WithPSK(nil, func(identities [][]byte) (*dtls.PSK, error) { return s.selectPSK(c, identities) }))
	} else {
		o = append(o, dtls.WithCertificates(c.Certificate))
	}
	if c.KeyLog != nil {
		o = append(o, dtls.WithKeyLogWriter(c.KeyLog))
	}
	if c.NewCID != nil {
		o = append(o, dtls.WithConnectionID(c.NewCID, dtls.CIDPathMigrationReject))
	}
	if c.Retransmit > 0 {
		o = append(o, dtls.WithFlightInterval(c.Retransmit))
	}
	return append(o, dtls.WithCipherSuites(offered...))
}

// selectPSK finds the key of the client's identity. In DTLS 1.2 it has one (RFC 4279 §2). Of a
// refusal pion tells the client no more than handshake_failure.
func (s *Handshake) selectPSK(c *Config, identities [][]byte) (*dtls.PSK, error) {
	if len(identities) != 1 {
		return nil, fmt.Errorf("expected one PSK identity, got %d", len(identities))
	}
	key, err := c.PSK(identities[0])
	if err != nil {
		s.refusal = err
		return nil, nil
	}
	s.psk = &PSK{Identity: string(identities[0]), Key: sha256.Sum256(key)}
	return &dtls.PSK{Identity: identities[0], Key: key}, nil
}

// silent is a logger for pion that writes nothing: the errors are returned.
type silent struct{}

func (silent) NewLogger(string) logging.LeveledLogger { return silent{} }
func (silent) Trace(string)                           {}
func (silent) Tracef(string, ...any)                  {}
func (silent) Debug(string)                           {}
func (silent) Debugf(string, ...any)                  {}
func (silent) Info(string)                            {}
func (silent) Infof(string, ...any)                   {}
func (silent) Warn(string)                            {}
func (silent) Warnf(string, ...any)                   {}
func (silent) Error(string)                           {}
func (silent) Errorf(string, ...any)                  {}

// peer is the address that pion is told: it has no use for it.
var peer net.Addr = &net.UDPAddr{}
