package tlsfront

import (
	"context"
	"crypto/tls"
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
	"radsec-gw/sessions"
)

// This file explains why a handshake failed, and what to do. crypto/tls has no types for
// most errors, so their texts are compared; tests detect if they change.

// classify returns the refusal of a connection whose handshake failed with err. Its text
// says what the operator can do.
func (s *Server) classify(ctx context.Context, c *conn, err error) *sessions.Refusal {
	var (
		header   tls.RecordHeaderError
		refused  *sessions.Refusal
		exceeded excess
		text     = plainText(err)
	)
	if a, ok := c.peerAlert(err); ok {
		if a == alertCloseNotify || a == alertUserCanceled {
			return sessions.Refusef(metrics.HandshakePeerClosed, "the peer ended the handshake with %v: its own log says why", a)
		}
		return sessions.Refusef(metrics.HandshakePeerAlert, "the peer sent the alert %v: %s", a, a.explain(c.presented))
	}
	switch {
	case errors.Is(err, context.Canceled), ctx.Err() != nil && errors.Is(err, net.ErrClosed):
		return sessions.Refusef(metrics.HandshakeShutdown, "%s", text)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return sessions.Refusef(metrics.HandshakeTimeout, "%s", text)
	case errors.As(err, &header) && !c.offered.seen:
		return sessions.Refusef(metrics.HandshakeNotTLS, "%s", describeNonTLS(header.RecordHeader[:]))
	case errors.As(err, &header):
		return sessions.Refusef(metrics.HandshakeOther, "expected a TLS record, got bytes that begin with % x: %s", header.RecordHeader, corrupted)
	case errors.As(err, &refused):
		return &sessions.Refusal{Result: refused.Result, Text: text, Leaf: refused.Leaf}
	case unparsedCertificate(err):
		return sessions.Refusef(metrics.HandshakeMalformedCertificate, "%s; %s", text, c.adviceUnparsed())
	case errors.As(err, &exceeded):
		return sessions.Refusef(metrics.HandshakeExcessive, "%s", text)
	case strings.Contains(text, "didn't provide a certificate"):
		return sessions.Refusef(metrics.HandshakeNoCertificate, "%s; give the peer a certificate from the configured client CA", text)
	case noCommonVersion(err):
		return sessions.Refusef(metrics.HandshakeRadiusVersion, "%s; the versions supported here are in radius_versions", text)
	case c.policy != nil && c.offered.seen && c.offered.highest() < c.policy.tls.MinVersion:
		return sessions.Refusef(metrics.HandshakeOldVersion, "the peer offers only %s; the minimum is %s (min_tls)",
			c.offered.versionText(), tls.VersionName(c.policy.tls.MinVersion))
	case c.policy != nil && noCommonSuite(err):
		return sessions.Refusef(metrics.HandshakeNoCommonCipher, "%s", c.policy.explainSuites(&c.offered))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return sessions.Refusef(metrics.HandshakePeerClosed, "%s", text)
	case !c.offered.seen && dottedName(c.in.clear.messages) != "":
		return sessions.Refusef(metrics.HandshakeMalformedHello, "the peer's SNI %q ends with a dot, which RFC 6066 §3 does not allow and Go's crypto/tls refuses: configure the peer to use the name without the last dot",
			identity.Clip(dottedName(c.in.clear.messages), maxName))
	case !c.offered.seen && !errors.As(err, new(net.Error)):
		return sessions.Refusef(metrics.HandshakeMalformedHello, "%s; the peer's ClientHello is malformed", text)
	}
	return sessions.Refusef(metrics.HandshakeOther, "%s", text)
}

const corrupted = "one of the TLS libraries, or something between them, is faulty"

// noCommonSuite reports whether crypto/tls found no cipher suite, or no group for one,
// that both sides support.
func noCommonSuite(err error) bool {
	for _, text := range []string{"no cipher suite supported by both", "no key exchanges supported by both"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// unparsedCertificate reports whether crypto/tls could not parse a certificate of the
// peer, which it then does not return.
func unparsedCertificate(err error) bool {
	return strings.Contains(err.Error(), "failed to parse client certificate")
}

// The most bytes that a text may contain of what the peer chose: a name, and a whole
// error of crypto/tls.
const (
	maxName = 255
	maxText = 1000
)

// nameUnparsed adds to an error which certificate crypto/tls could not parse, if that is
// the error and the certificates were unencrypted. It parses them again, so it counts
// as computing of the handshake.
func (c *conn) nameUnparsed(err error) error {
	if !unparsedCertificate(err) {
		return err
	}
	if which := identity.Unparsed(c.in.clear.certificates()); which != "" {
		return fmt.Errorf("%s: %w", which, err)
	}
	return err
}

// adviceUnparsed says what to do about a certificate that crypto/tls could not parse.
func (c *conn) adviceUnparsed() string {
	text := "it is damaged, or breaks a rule of RFC 5280 that Go's crypto/x509 enforces: have it issued again; openssl x509 -noout -text -in FILE at the peer shows what is in it"
	if c.offered.highest() >= tls.VersionTLS13 {
		text += "; it may be the peer's own or one of its intermediates, which TLS 1.3 encrypts: limit the peer to TLS 1.2, and the log names it"
	}
	return text
}

// goTypeName matches names of Go types in texts of crypto/tls and crypto/x509.
var goTypeName = regexp.MustCompile(`\*?\b(tls|rsa|ecdsa|ed25519|dsa|ecdh)\.(\w+)`)

// plainText returns the text of an error of crypto/tls without the names of Go types. It
// is shortened, because it may contain what the peer chose.
func plainText(err error) string {
	return goTypeName.ReplaceAllStringFunc(identity.Clip(err.Error(), maxText), func(t string) string {
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

// dottedName returns the host name in a ClientHello's server_name extension if it
// ends with a dot. b is the handshake message, or its beginning (RFC 8446 §4.1.2, RFC
// 6066 §3).
func dottedName(b []byte) string {
	const head, serverName, hostName = 4 + 2 + 32, 0, 0
	ok := len(b) >= head && b[0] == 1
	next := func(size int) (part []byte) { // reads a part that is preceded by its length of size bytes
		if !ok || len(b) < size {
			ok = false
			return nil
		}
		n := 0
		for _, v := range b[:size] {
			n = n<<8 | int(v)
		}
		if b = b[size:]; len(b) < n {
			n, ok = len(b), false
		}
		part, b = b[:n], b[n:]
		return part
	}
	if !ok {
		return ""
	}
	b = b[head:]
	next(1) // session
	next(2) // cipher suites
	next(1) // compression
	if !ok {
		return ""
	}
	b = b[min(2, len(b)):] // skip the length of all extensions; the last one may be cut off
	for ok && len(b) >= 2 {
		kind := binary.BigEndian.Uint16(b)
		b = b[2:]
		if e := next(2); ok && kind == serverName && len(e) > 5 && e[2] == hostName {
			if name := string(e[5:min(len(e), 5+int(e[3])<<8+int(e[4]))]); strings.HasSuffix(name, ".") {
				return name
			}
		}
	}
	return ""
}
