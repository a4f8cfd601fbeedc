package tlsfront

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"radsec-gw/metrics"
)

// The versions of RADIUS, as Config names them, and as the handshake does
// (RFC 9765 §3.1).
const (
	Radius10 = "1.0"
	Radius11 = "1.1"

	protocol10 = "radius/" + Radius10
	protocol11 = "radius/" + Radius11
)

// What each client gets is the table of RFC 9765 §3.3.2. crypto/tls has most of
// it: its own choice among the protocols offered, and the alert
// no_application_protocol when none fits. What it leaves to us: it lets a client
// in that offers none; it does not know that RADIUS/1.1 is for TLS 1.3 only
// (§3.4), or that a resumed session keeps the version (§3.5).

// validateVersions checks Config.RadiusVersions.
func validateVersions(versions []string) error {
	for _, v := range versions {
		if v != Radius10 && v != Radius11 {
			return fmt.Errorf("RADIUS version %q: expected %q or %q", v, Radius10, Radius11)
		}
	}
	return nil
}

// only11 reports whether nothing but RADIUS/1.1 is spoken.
func (c *Config) only11() bool {
	return slices.Contains(c.RadiusVersions, Radius11) && !slices.Contains(c.RadiusVersions, Radius10)
}

// negotiate makes the policy's handshakes agree on a version of RADIUS. keys holds
// the keys of session tickets unless the policy has its own.
func (p *policy) negotiate(keys *tls.Config) {
	if len(p.cfg.TicketKeys) > 0 {
		keys = p.tls
	}
	p.tls.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		if cs.NegotiatedProtocol == protocol11 {
			ss.Extra = append(ss.Extra, []byte(protocol11))
		}
		return keys.EncryptTicket(cs, ss)
	}
	p.tls.UnwrapSession = func(ticket []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := keys.DecryptTicket(ticket, cs)
		if err != nil || ss == nil {
			return ss, err
		}
		if cs.NegotiatedProtocol != protocol11 && slices.ContainsFunc(ss.Extra, func(b []byte) bool { return string(b) == protocol11 }) {
			return nil, &refusal{result: metrics.HandshakeRadiusVersion, text: errDowngrade}
		}
		return ss, nil
	}
	p.tls12 = p.tls
	if slices.Contains(p.cfg.RadiusVersions, Radius11) {
		p.tls.NextProtos = append(p.tls.NextProtos, protocol11)
	}
	if p.cfg.only11() {
		p.tls.MinVersion = tls.VersionTLS13
		return
	}
	if slices.Contains(p.cfg.RadiusVersions, Radius10) {
		p.tls.NextProtos = append(p.tls.NextProtos, protocol10)
	}
	if len(p.tls.NextProtos) > 1 {
		p.tls12 = p.tls.Clone()
		p.tls12.NextProtos = []string{protocol10}
	}
}

const errDowngrade = "the session was one of RADIUS/1.1, and the client resumes it without offering that (RFC 9765 §3.5)"

// handshakeConfig returns what a handshake goes by: before TLS 1.3 there is no
// RADIUS/1.1 (RFC 9765 §3.4).
func (p *policy) handshakeConfig(hello *tls.ClientHelloInfo) *tls.Config {
	if slices.Contains(hello.SupportedVersions, tls.VersionTLS13) {
		return p.tls
	}
	return p.tls12
}

// versionOf says whether the connection speaks RADIUS/1.1, or why it may not go on:
// a client that offers no protocol speaks RADIUS/1.0, which may not be spoken here
// (RFC 9765 §3.3.1).
func (p *policy) versionOf(state *tls.ConnectionState) (v11 bool, refused string) {
	switch {
	case state.NegotiatedProtocol == protocol11 && state.Version >= tls.VersionTLS13:
		return true, ""
	case p.cfg.only11() || state.NegotiatedProtocol == protocol11:
		return false, "the client does not offer RADIUS/1.1 by ALPN, and only that is spoken here (RFC 9765 §3.3.1)"
	}
	return false, ""
}

// requireRadius11 is what a client gets before its connection is closed: a Protocol-Error
// that answers nothing, its Token zero, with Error-Cause 406 and a Reply-Message
// for whoever reads the client's log (RFC 9765 §3.3.1).
func requireRadius11() []byte {
	const text = "RADIUS/1.1 is required"
	b := make([]byte, 20, 64)
	b[0] = 52
	b = append(b, 101, 6, 0, 0, 406>>8, 406&0xff, 18, 2+byte(len(text)))
	b = append(b, text...)
	b[3] = byte(len(b))
	return b
}

// alertVersion sends the alert no_application_protocol when err is that no version
// of RADIUS suits both sides and crypto/tls has sent nothing: it does not when a
// ticket is refused. Nothing is encrypted yet then, so the record is plain (RFC
// 8446 §5.1, §6).
func (c *conn) alertVersion(err error) {
	var r *refusal
	if errors.As(err, &r) && r.text == errDowngrade {
		const alert, fatal, noApplicationProtocol = 21, 2, 120
		c.Conn.Write([]byte{alert, 3, 3, 0, 2, fatal, noApplicationProtocol})
	}
}

// noCommonVersion reports whether crypto/tls found no protocol that both sides
// offer. It has no type for it; a test holds the text.
func noCommonVersion(err error) bool {
	return strings.Contains(err.Error(), "unsupported application protocols")
}

// Version11 reports whether the connection speaks RADIUS/1.1 (RFC 9765).
func (s *Session) Version11() bool { return s.v11 }
