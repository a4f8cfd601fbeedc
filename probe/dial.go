package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"radsec-gw/certs"
)

// dial connects as cfg says. Its errors say what to check.
func dial(ctx context.Context, cfg *Config) (net.Conn, tls.ConnectionState, error) {
	tlsConfig, err := clientTLS(cfg)
	if err != nil {
		return nil, tls.ConnectionState{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, min(cfg.Timeout, connectTimeout))
	defer cancel()
	conn, err := (&tls.Dialer{Config: tlsConfig}).DialContext(ctx, "tcp", cfg.Address)
	if err != nil {
		return nil, tls.ConnectionState{}, fmt.Errorf("connecting to %s: %w%s", cfg.Address, err, dialHint(err))
	}
	return conn, conn.(*tls.Conn).ConnectionState(), nil
}

// clientTLS returns the TLS configuration for cfg. It reads the files that cfg names.
func clientTLS(cfg *Config) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(cfg.Address)
	if err != nil {
		return nil, &ConfigError{fmt.Errorf("-address: expected host:port: %w", err)}
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: cmp.Or(cfg.ServerName, host)}
	if c.NextProtos, err = offered(cfg.Version); err != nil {
		return nil, &ConfigError{err}
	}
	if cfg.Version == "1.1" {
		c.MinVersion = tls.VersionTLS13 // RFC 9765 §3.4
	}
	ca, err := certs.LoadCA(cfg.CAFile)
	if err != nil {
		return nil, withCertsHint(err)
	}
	c.RootCAs = ca.Pool()
	pair, err := certs.LoadPair(cfg.CertFile, cfg.KeyFile)
	if err != nil {
		return nil, withCertsHint(err)
	}
	// The certificate is sent whatever CAs the server names: if it were in Certificates and
	// another CA had issued it, crypto/tls would send none, and the server could not say what
	// is wrong with it.
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return c, nil
}

func withCertsHint(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (development certificates are made by: radsec-gw certs; others are named with -certs, or -ca, -cert and -key)", err)
	}
	return err
}

// dialHint says what to check, as a clause in brackets.
func dialHint(err error) string {
	var (
		hostname  x509.HostnameError
		authority x509.UnknownAuthorityError
	)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return " (nothing listens there: is the gateway running, and is this its listen address?)"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return " (is there a firewall in between, and does RadSec, not plain RADIUS, listen there?)"
	case errors.As(err, &hostname):
		return fmt.Sprintf(" (pass one of the certificate's names as -server-name: %s)", strings.Join(hostname.Certificate.DNSNames, ", "))
	case errors.As(err, &authority):
		return " (-ca must name the CA that issued the server's certificate)"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return " (the server closed the connection before TLS was up; its log says why: no client of its configuration lists this machine's address, or it has as many connections as it may)"
	}
	return alertHint(err)
}

const certificateHint = " (the server refused the client certificate; its log says why: another CA, expired, revoked, or a revocation list that is out of date)"

// alertHint explains a TLS alert from the server, which under TLS 1.3 may arrive after the handshake.
func alertHint(err error) string {
	if s := err.Error(); strings.Contains(s, "no application protocol") {
		return " (the server does not speak the version of RADIUS that -radius-version offers, RFC 9765 §3.3)"
	} else if strings.Contains(s, "remote error: tls:") {
		return certificateHint
	}
	return ""
}
