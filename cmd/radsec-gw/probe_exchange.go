package main

import (
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
	"time"

	"layeh.com/radius"

	"radsec-gw/certs"
)

// dialProbe connects as the options say. The errors say what to look at.
func dialProbe(o *probeOptions) (*tls.Conn, error) {
	host, _, err := net.SplitHostPort(o.address)
	if err != nil {
		return nil, usageError{fmt.Errorf("-address: want host:port: %w", err)}
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if o.serverName != "" {
		cfg.ServerName = o.serverName
	}
	if cfg.NextProtos, err = offered(o.version); err != nil {
		return nil, usageError{err}
	}
	if o.version == "1.1" {
		cfg.MinVersion = tls.VersionTLS13 // RFC 9765 §3.4
	}
	ca, err := certs.LoadCA(o.ca)
	if err != nil {
		return nil, withCertsHint(err)
	}
	cfg.RootCAs = ca.Pool()
	pair, err := certs.LoadPair(o.cert, o.key)
	if err != nil {
		return nil, withCertsHint(err)
	}
	// Shown whatever CAs the gateway names: with Certificates crypto/tls would show none
	// that comes from another, and the gateway could not say what is wrong with it.
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }

	ctx, cancel := context.WithTimeout(context.Background(), o.timeout)
	defer cancel()
	conn, err := (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", o.address)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w%s", o.address, err, dialHint(err))
	}
	return conn.(*tls.Conn), nil
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
		return " (is there a firewall between, and does RadSec, not plain RADIUS, listen there?)"
	case errors.As(err, &hostname):
		return fmt.Sprintf(" (pass one of the certificate's names as -server-name: %s)", strings.Join(hostname.Certificate.DNSNames, ", "))
	case errors.As(err, &authority):
		return " (-ca must name the CA that issued the server's certificate)"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return " (the server closed the connection before TLS was up: does a client of its configuration list this machine's address? Its log says why)"
	}
	return alertHint(err)
}

// alertHint explains a TLS alert from the server, which under TLS 1.3 may come after the handshake.
func alertHint(err error) string {
	if s := err.Error(); strings.Contains(s, "no application protocol") {
		return " (the server does not speak the version of RADIUS that -radius-version offers, RFC 9765 §3.3)"
	} else if strings.Contains(s, "remote error: tls:") {
		return " (the server refused the client certificate: is it from the server's client CA, and still valid?)"
	}
	return ""
}

// exchange writes one packet and reads the one that answers it: as a lone request on a fresh
// connection, whatever comes back is the answer. took is from the write to the last octet.
func exchange(conn net.Conn, request []byte, timeout time.Duration) (reply []byte, took time.Duration, err error) {
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return nil, 0, err
	}
	start := time.Now()
	if _, err := conn.Write(request); err != nil {
		return nil, 0, fmt.Errorf("%w%s", err, alertHint(err))
	}
	reply = make([]byte, radius.MaxPacketLength)
	if _, err := io.ReadFull(conn, reply[:4]); err != nil {
		return nil, 0, answerError(err, timeout)
	}
	length := packetLength(reply)
	if length < 20 || length > radius.MaxPacketLength {
		return nil, 0, fmt.Errorf("the answer begins with a Length of %d, which must be 20 to 4096 (RFC 2865 §3): does RadSec listen there?", length)
	}
	if _, err := io.ReadFull(conn, reply[4:length]); err != nil {
		return nil, 0, answerError(err, timeout)
	}
	return reply[:length], time.Since(start), nil
}

// answerError says what silence and a closed connection mean.
func answerError(err error, timeout time.Duration) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("nothing came within %v: is the RADIUS server behind the gateway up, does it know the gateway's address and secret, and does a route take this realm? The gateway's log and /metrics say what became of the request", timeout)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("the server closed the connection: an authenticator did not verify (is -secret the one it has for this client?), or no client of its configuration matches this certificate and address; its log says which")
	}
	return fmt.Errorf("%w%s", err, alertHint(err))
}
