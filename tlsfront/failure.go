package tlsfront

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"

	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// This file says in words why a handshake failed, and what to do. crypto/tls gives
// no types for most of it: its texts are compared, which tests hold.

// classify finds why a handshake failed with err, and says what the operator may do.
func (s *Server) classify(ctx context.Context, c *conn, err error) (result metrics.Handshake, text string) {
	var (
		header  tls.RecordHeaderError
		refused *refusal
		beyond  excess
		says    = plainText(err)
	)
	if a, ok := c.peerAlert(err); ok {
		if a == alertCloseNotify || a == alertUserCanceled {
			return metrics.HandshakePeerClosed, fmt.Sprintf("the peer ended the handshake with %v: its own log says why", a)
		}
		return metrics.HandshakePeerAlert, fmt.Sprintf("the peer sent the alert %v: %s", a, a.explain(c.policy))
	}
	switch {
	case errors.Is(err, context.Canceled), ctx.Err() != nil && errors.Is(err, net.ErrClosed):
		return metrics.HandshakeShutdown, says
	case errors.Is(err, os.ErrDeadlineExceeded):
		return metrics.HandshakeTimeout, says
	case errors.As(err, &header) && !c.offered.seen:
		return metrics.HandshakeNotTLS, describeNonTLS(header.RecordHeader[:])
	case errors.As(err, &header):
		return metrics.HandshakeOther, fmt.Sprintf("expected a TLS record, got bytes that begin with % x: %s", header.RecordHeader, corrupted)
	case errors.As(err, &refused):
		return refused.result, says
	case unparsedCertificate(err):
		return metrics.HandshakeMalformedCertificate, says + "; " + c.adviceUnparsed()
	case errors.As(err, &beyond):
		return metrics.HandshakeExcessive, says
	case strings.Contains(says, "didn't provide a certificate"):
		return metrics.HandshakeNoCertificate, says + "; give the peer a certificate from the configured client CA"
	case noCommonVersion(err):
		return metrics.HandshakeRadiusVersion, says + "; what is spoken here is in radius_versions"
	case c.policy != nil && c.offered.seen && c.offered.highest() < c.policy.tls.MinVersion:
		return metrics.HandshakeOldVersion, fmt.Sprintf("the peer offers %s only; the minimum is %s (min_tls)",
			c.offered.versionText(), tls.VersionName(c.policy.tls.MinVersion))
	case c.policy != nil && noCommonSuite(err):
		return metrics.HandshakeNoCommonCipher, c.policy.explainSuites(&c.offered)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return metrics.HandshakePeerClosed, says
	case !c.offered.seen && dottedName(c.in.clear.messages) != "":
		return metrics.HandshakeMalformedHello, fmt.Sprintf("the peer's SNI %q ends with a dot, which RFC 6066 §3 does not allow and Go's crypto/tls refuses: have the peer name this gateway without the last dot",
			clip(dottedName(c.in.clear.messages), maxName))
	case !c.offered.seen && !errors.As(err, new(net.Error)):
		return metrics.HandshakeMalformedHello, says + "; the peer's ClientHello is malformed"
	}
	return metrics.HandshakeOther, says
}

const corrupted = "one of the TLS libraries, or something between them, is at fault"

// noCommonSuite reports whether crypto/tls found no cipher suite, or no group for
// one, that both sides take.
func noCommonSuite(err error) bool {
	for _, text := range []string{"no cipher suite supported by both", "no key exchanges supported by both"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// unparsedCertificate reports whether crypto/tls could not read a certificate of
// the peer's, which it gives to nobody then.
func unparsedCertificate(err error) bool {
	return strings.Contains(err.Error(), "failed to parse client certificate")
}

// What a text may hold of a peer's choice, in octets: a name, and the whole of an
// error of crypto/tls.
const (
	maxName = 255
	maxText = 1000
)

// nameUnparsed adds to an error which certificate it was that crypto/tls could not
// read, if that is the error and the certificates have come in clear. It costs as much
// as crypto/tls's own trying, so it belongs to what the handshake has computed.
func (c *conn) nameUnparsed(err error) error {
	if !unparsedCertificate(err) {
		return err
	}
	if which := identity.Unparsed(c.in.clear.certificates()); which != "" {
		return fmt.Errorf("%s: %w", which, err)
	}
	return err
}

// adviceUnparsed says what to do about a certificate that crypto/tls could not read.
func (c *conn) adviceUnparsed() string {
	text := "it is damaged, or breaks a rule of RFC 5280 that Go's crypto/x509 holds it to: have it issued anew; openssl x509 -noout -text -in FILE at the peer shows what is in it"
	if c.offered.highest() >= tls.VersionTLS13 {
		text += "; it may be the peer's own or one of its intermediates, which TLS 1.3 hides: a peer that is held to TLS 1.2 has it named here"
	}
	return text
}

// clip shortens s to so many octets.
func clip(s string, longest int) string {
	if len(s) > longest {
		return s[:longest] + "…"
	}
	return s
}

// goTypeName is a type of Go as texts of crypto/tls and crypto/x509 have it.
var goTypeName = regexp.MustCompile(`\*?\b(tls|rsa|ecdsa|ed25519|dsa|ecdh)\.(\w+)`)

// plainText is the text of an error of crypto/tls without the names of Go's types,
// and no longer than a log line may be: it can hold what the peer has chosen.
func plainText(err error) string {
	return goTypeName.ReplaceAllStringFunc(clip(err.Error(), maxText), func(t string) string {
		pkg, name, _ := strings.Cut(strings.TrimPrefix(t, "*"), ".")
		switch {
		case pkg != "tls":
			return map[string]string{"rsa": "RSA", "ecdsa": "ECDSA", "ed25519": "Ed25519", "dsa": "DSA", "ecdh": "ECDH"}[pkg]
		case strings.HasSuffix(strings.TrimSuffix(name, "TLS13"), "Msg"):
			name = strings.TrimSuffix(strings.TrimSuffix(name, "TLS13"), "Msg")
			return strings.ToUpper(name[:1]) + name[1:]
		}
		return t
	})
}

// certificateIn returns the certificate that was refused, if that is the error.
func certificateIn(err error) *x509.Certificate {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.leaf
	}
	return nil
}

// dottedName returns the host name in a ClientHello's server_name extension if it ends
// with a dot; b is the handshake message, or its beginning (RFC 8446 §4.1.2, RFC
// 6066 §3).
func dottedName(b []byte) string {
	const head, serverName, hostName = 4 + 2 + 32, 0, 0
	ok := len(b) >= head && b[0] == 1
	take := func(octets int) (part []byte) { // what is preceded by its length
		if !ok || len(b) < octets {
			ok = false
			return nil
		}
		n := 0
		for _, v := range b[:octets] {
			n = n<<8 | int(v)
		}
		if b = b[octets:]; len(b) < n {
			n, ok = len(b), false
		}
		part, b = b[:n], b[n:]
		return part
	}
	if !ok {
		return ""
	}
	b = b[head:]
	take(1) // session
	take(2) // cipher suites
	take(1) // compression
	if !ok {
		return ""
	}
	b = b[min(2, len(b)):] // the length of all extensions, of which the last may be cut off
	for ok && len(b) >= 2 {
		kind := binary.BigEndian.Uint16(b)
		b = b[2:]
		if e := take(2); ok && kind == serverName && len(e) > 5 && e[2] == hostName {
			if name := string(e[5:min(len(e), 5+int(e[3])<<8+int(e[4]))]); strings.HasSuffix(name, ".") {
				return name
			}
		}
	}
	return ""
}
