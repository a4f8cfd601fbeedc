package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/crypto/ciphersuite"
	"github.com/pion/dtls/v4/pkg/protocol"
)

// versionDTLS12 is DTLS 1.2 as tls.ConnectionState has it (RFC 6347 §4.1).
const versionDTLS12 = 0xfefd

// versionName names a version of TLS or DTLS.
func versionName(version uint16) string {
	if version == versionDTLS12 {
		return "DTLS 1.2"
	}
	return tls.VersionName(version)
}

// dialDTLS is dial over UDP.
func dialDTLS(ctx context.Context, cfg *Config) (net.Conn, tls.ConnectionState, error) {
	options, err := optionsDTLS(cfg)
	if err != nil {
		return nil, tls.ConnectionState{}, err
	}
	if cfg.Version == "1.1" {
		return nil, tls.ConnectionState{}, &ConfigError{errors.New("-radius-version 1.1 does not go with -dtls: it needs TLS 1.3 or DTLS 1.3 (RFC 9765 §3.4)")}
	}
	failed := func(err error) (net.Conn, tls.ConnectionState, error) {
		return nil, tls.ConnectionState{}, fmt.Errorf("connecting to %s over UDP: %w%s", cfg.Address, err, dtlsHint(cfg, err))
	}
	ctx, cancel := context.WithTimeout(ctx, min(cfg.Timeout, connectTimeout))
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "udp", cfg.Address)
	if err != nil {
		return failed(err)
	}
	c, err := dtls.Client(connected{raw}, raw.RemoteAddr(), options...)
	if err != nil {
		raw.Close()
		return failed(err)
	}
	if err := c.HandshakeContext(ctx); err != nil {
		c.Close()
		raw.Close()
		return failed(err)
	}
	state := tls.ConnectionState{Version: versionDTLS12, HandshakeComplete: true}
	if s, ok := c.ConnectionState(); ok {
		for _, der := range s.PeerCertificates {
			if one, err := x509.ParseCertificate(der); err == nil {
				state.PeerCertificates = append(state.PeerCertificates, one)
			}
		}
	}
	return &recordConn{Conn: c}, state, nil
}

// optionsDTLS returns how the handshake is done: with certificates, or with a PSK.
func optionsDTLS(cfg *Config) ([]dtls.ClientOption, error) {
	version := dtls.WithMaxVersion(protocol.Version1_2)
	if cfg.PSKIdentity != "" {
		psk := []dtls.PSK{{Identity: []byte(cfg.PSKIdentity), Key: []byte(cfg.PSK)}}
		return []dtls.ClientOption{version, dtls.WithPSK(func() ([]dtls.PSK, error) { return psk, nil }, nil),
			dtls.WithCipherSuites(ciphersuite.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256)}, nil
	}
	config, err := clientTLS(cfg)
	if err != nil {
		return nil, err
	}
	pair, err := config.GetClientCertificate(nil)
	if err != nil {
		return nil, err
	}
	return []dtls.ClientOption{version, dtls.WithGetClientCertificate(func(*dtls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }),
		dtls.WithRootCAs(config.RootCAs), dtls.WithServerName(config.ServerName)}, nil
}

// connected is a connected socket as pion/dtls takes it. Errors about what was sent come back
// from one.
type connected struct{ net.Conn }

func (c connected) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := c.Read(b)
	return n, c.RemoteAddr(), err
}

func (c connected) WriteTo(b []byte, _ net.Addr) (int, error) { return c.Write(b) }

// dtlsHint says what to check, as a clause in brackets.
func dtlsHint(cfg *Config, err error) string {
	if errors.Is(err, context.DeadlineExceeded) && cfg.PSKIdentity != "" {
		return " (no answer, or none that this key can read: does the gateway have a [[listener]] with transport = \"dtls\" at this address, does a client of its configuration have this psk_identity with this key and list this machine's address, and is there a firewall in between?)"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return " (no answer: does the gateway have a [[listener]] with transport = \"dtls\" at this address, does a client of its configuration list this machine's address, and is there a firewall in between?)"
	}
	if cfg.PSKIdentity != "" && (strings.HasSuffix(err.Error(), "HandshakeFailure") || strings.HasSuffix(err.Error(), "InsufficientSecurity")) {
		return " (is there a client of the gateway's configuration with this psk_identity, which lists this machine's address? The gateway's log says why)"
	}
	// What pion/dtls says of an alert, such as BadCertificate, UnknownCA, AccessDenied.
	if s := err.Error(); strings.Contains(s, "alert: ") && (strings.Contains(s, "Certificate") || strings.HasSuffix(s, "UnknownCA")) {
		return certificateHint
	}
	return dialHint(err)
}

// recordConn reads the packets of DTLS records as a stream, without what follows the Length of
// a packet in its record (RFC 7360 §5.1).
type recordConn struct {
	net.Conn
	rest  []byte
	close sync.Once
	err   error // of close
}

// Close implements net.Conn. It returns when close_notify is sent, whichever call sends it: of
// two calls at once, that of pion/dtls lets the second return at once, and a process that then
// ends leaves the gateway a session that nobody has closed.
func (c *recordConn) Close() error {
	c.close.Do(func() { c.err = c.Conn.Close() })
	return c.err
}

// Read implements net.Conn.
func (c *recordConn) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		record := make([]byte, 1<<14)
		n, err := c.Conn.Read(record)
		if err != nil {
			return 0, closed(err)
		}
		c.rest = record[:n]
		if n >= 4 {
			c.rest = record[:min(n, int(binary.BigEndian.Uint16(record[2:])))]
		}
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Write implements net.Conn.
func (c *recordConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, closed(err)
}

// closed returns io.EOF for the error of pion/dtls that follows close_notify, too.
func closed(err error) error {
	if errors.Is(err, dtls.ErrConnClosed) {
		return io.EOF
	}
	return err
}

// resendInitial is the time to the first retransmission over UDP, which then doubles up to
// resendMax (RFC 5080 §2.2.1).
const (
	resendInitial = 2 * time.Second
	resendMax     = 16 * time.Second
)

// resend sends a packet again and again, if conn is over UDP, until stop is called.
func resend(conn net.Conn, packet []byte) (stop func()) {
	if _, ok := conn.(*recordConn); !ok {
		return func() {}
	}
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for wait := resendInitial; ; wait = min(2*wait, resendMax) {
			t := time.NewTimer(wait)
			select {
			case <-t.C:
				if _, err := conn.Write(packet); err != nil {
					return
				}
			case <-done:
				t.Stop()
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
