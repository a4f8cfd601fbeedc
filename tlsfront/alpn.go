package tlsfront

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// The versions of RADIUS, in Config and as ALPN protocols (RFC 9765 §3.1).
const (
	Radius10 = "1.0"
	Radius11 = "1.1"

	protocol10 = "radius/" + Radius10
	protocol11 = "radius/" + Radius11
)

// The version is negotiated by the table of RFC 9765 §3.3.2. crypto/tls does most of it:
// it chooses among the protocols offered, and sends the alert no_application_protocol
// if none matches. The rest is done here: crypto/tls accepts a client that offers no
// protocol, and does not know that RADIUS/1.1 requires TLS 1.3 (§3.4), or that a
// resumed session keeps its version (§3.5).

// validateVersions checks Config.RadiusVersions.
func validateVersions(versions []string) error {
	for _, v := range versions {
		if v != Radius10 && v != Radius11 {
			return fmt.Errorf("RADIUS version %q: expected %q or %q", v, Radius10, Radius11)
		}
	}
	return nil
}

// only11 reports whether only RADIUS/1.1 is supported.
func (c *Config) only11() bool {
	return slices.Contains(c.RadiusVersions, Radius11) && !slices.Contains(c.RadiusVersions, Radius10)
}

// negotiate configures the policy's handshakes to negotiate a version of RADIUS. keys has
// the session ticket keys unless the policy has its own.
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
			return nil, errDowngrade
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

// errDowngrade is the refusal of a client that resumes a session of RADIUS/1.1 without
// offering it.
var errDowngrade = sessions.Refusef(metrics.HandshakeRadiusVersion, "the client resumes a session of RADIUS/1.1 without offering RADIUS/1.1 (RFC 9765 §3.5)")

// handshakeConfig returns the configuration for a handshake: before TLS 1.3 there is no
// RADIUS/1.1 (RFC 9765 §3.4).
func (p *policy) handshakeConfig(hello *tls.ClientHelloInfo) *tls.Config {
	if slices.Contains(hello.SupportedVersions, tls.VersionTLS13) {
		return p.tls
	}
	return p.tls12
}

// versionOf reports whether the connection uses RADIUS/1.1. It returns a refusal for a
// client that does not offer it if only RADIUS/1.1 is supported: a client that offers no
// protocol uses RADIUS/1.0 (RFC 9765 §3.3.1).
func (p *policy) versionOf(state *tls.ConnectionState) (v11 bool, r *sessions.Refusal) {
	switch {
	case state.NegotiatedProtocol == protocol11 && state.Version >= tls.VersionTLS13:
		return true, nil
	case p.cfg.only11() || state.NegotiatedProtocol == protocol11:
		return false, sessions.Refusef(metrics.HandshakeRadiusVersion, "the client does not offer RADIUS/1.1 by ALPN, and only that is supported here (RFC 9765 §3.3.1)")
	}
	return false, nil
}

// requireRadius11 returns the packet that is sent to a client without RADIUS/1.1 before its
// connection is closed: a Protocol-Error with Token 0, with Error-Cause 406 and a
// Reply-Message for the client's log (RFC 9765 §3.3.1).
func requireRadius11() []byte {
	const text = "RADIUS/1.1 is required"
	b := make([]byte, 20, 64)
	b[0] = 52
	b = append(b, 101, 6, 0, 0, 406>>8, 406&0xff, 18, 2+byte(len(text)))
	b = append(b, text...)
	b[3] = byte(len(b))
	return b
}

// alertVersion sends the alert no_application_protocol if err is errDowngrade: crypto/tls
// sends no alert when a ticket is refused. Nothing is encrypted at that point, so the
// record is plain (RFC 8446 §5.1, §6).
func (c *conn) alertVersion(err error) {
	if errors.Is(err, errDowngrade) {
		const alert, fatal, noApplicationProtocol = 21, 2, 120
		c.Conn.Write([]byte{alert, 3, 3, 0, 2, fatal, noApplicationProtocol})
	}
}

// noCommonVersion reports whether crypto/tls found no protocol that both sides support. It
// has no type for this error; a test detects if the text changes.
func noCommonVersion(err error) bool {
	return strings.Contains(err.Error(), "unsupported application protocols")
}

// Version11 reports whether the connection uses RADIUS/1.1 (RFC 9765).
func (s *Session) Version11() bool { return s.v11 }
