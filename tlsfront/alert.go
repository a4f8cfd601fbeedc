package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strconv"
)

// alert is the description of a TLS alert (RFC 8446 §6).
type alert uint8

// The alerts that something here depends on.
const (
	alertCloseNotify           alert = 0
	alertBadRecordMAC          alert = 20
	alertUserCanceled          alert = 90
	alertNoApplicationProtocol alert = 120
)

// alertKind is what an alert is about, and so what the operator may do.
type alertKind uint8

const (
	aboutOther              alertKind = iota
	aboutTrust                        // the CA of our certificate
	aboutCertificate                  // our certificate itself
	aboutName                         // the name in our certificate, or in the peer's SNI
	aboutVersion                      // the version of TLS
	aboutSuites                       // cipher suites, groups, signature algorithms
	aboutProtocol                     // ALPN: the version of RADIUS
	aboutMissingCertificate           // the peer's certificate, which we should not have taken
	aboutDamage                       // octets that were changed or lost on the way, or a bug
	aboutPeerItself                   // something within the peer
	aboutUnderstanding                // one side sends what the other does not understand
)

// alertNames is the registry of IANA, "TLS Alerts".
var alertNames = map[alert]struct {
	name string
	kind alertKind
}{
	alertCloseNotify:           {"close_notify", aboutPeerItself},
	10:                         {"unexpected_message", aboutUnderstanding},
	alertBadRecordMAC:          {"bad_record_mac", aboutDamage},
	21:                         {"decryption_failed", aboutDamage},
	22:                         {"record_overflow", aboutDamage},
	30:                         {"decompression_failure", aboutDamage},
	40:                         {"handshake_failure", aboutSuites},
	41:                         {"no_certificate", aboutCertificate},
	42:                         {"bad_certificate", aboutTrust}, // also Go's word for an unknown CA or name
	43:                         {"unsupported_certificate", aboutCertificate},
	44:                         {"certificate_revoked", aboutCertificate},
	45:                         {"certificate_expired", aboutCertificate},
	46:                         {"certificate_unknown", aboutTrust},
	47:                         {"illegal_parameter", aboutUnderstanding},
	48:                         {"unknown_ca", aboutTrust},
	49:                         {"access_denied", aboutCertificate},
	50:                         {"decode_error", aboutUnderstanding},
	51:                         {"decrypt_error", aboutDamage},
	60:                         {"export_restriction", aboutSuites},
	70:                         {"protocol_version", aboutVersion},
	71:                         {"insufficient_security", aboutSuites},
	80:                         {"internal_error", aboutPeerItself},
	86:                         {"inappropriate_fallback", aboutVersion},
	alertUserCanceled:          {"user_canceled", aboutPeerItself},
	100:                        {"no_renegotiation", aboutUnderstanding},
	109:                        {"missing_extension", aboutUnderstanding},
	110:                        {"unsupported_extension", aboutUnderstanding},
	111:                        {"certificate_unobtainable", aboutCertificate},
	112:                        {"unrecognized_name", aboutName},
	113:                        {"bad_certificate_status_response", aboutCertificate},
	114:                        {"bad_certificate_hash_value", aboutCertificate},
	115:                        {"unknown_psk_identity", aboutUnderstanding},
	116:                        {"certificate_required", aboutMissingCertificate},
	alertNoApplicationProtocol: {"no_application_protocol", aboutProtocol},
	121:                        {"ech_required", aboutUnderstanding},
}

// String returns the alert's name in the registry.
func (a alert) String() string {
	if known, ok := alertNames[a]; ok {
		return known.name
	}
	return strconv.Itoa(int(a))
}

// explain says what the alert means when it comes from a peer, and what to do.
// issuer is who signed the last certificate that the gateway sends.
func (a alert) explain(p *policy) string {
	switch alertNames[a].kind {
	case aboutTrust:
		return fmt.Sprintf("the peer does not trust this gateway's certificate: give it the CA that signed it, %s, and let the name that it checks be in the certificate", p.issuerName())
	case aboutCertificate:
		return "the peer does not accept this gateway's certificate: see radsec-gw check for its end, names, key and purpose"
	case aboutName:
		return "the peer checks a name that is not this gateway's: compare what it connects to with the names in the certificate"
	case aboutVersion:
		return "the peer does not speak a version of TLS that is taken here: see min_tls"
	case aboutSuites:
		return "the peer finds no cipher suite, group or signature algorithm in common: see cipher_suites and min_tls here, its settings there, and whether it can use the type of this gateway's key"
	case aboutProtocol:
		return "the peer speaks no version of RADIUS that is spoken here (RFC 9765 §3.3): see radius_versions"
	case aboutMissingCertificate:
		return "the peer misses a certificate of the gateway"
	case aboutDamage:
		return "something between the peer and the gateway changes what they send, or one of them has a fault in its TLS library"
	case aboutPeerItself:
		return "the peer gave up by itself: its own log says why"
	case aboutUnderstanding:
		return "the peer does not understand what the gateway sent: its own log says what it was; a middlebox or an old TLS library may be the cause"
	}
	return "the peer's own log says why"
}

// issuerName names who signed the last certificate that the gateway sends; that one
// is what a peer has to trust.
func (p *policy) issuerName() string {
	if p == nil || len(p.cfg.Certificate.Certificate) == 0 {
		return "its issuer"
	}
	sent := p.cfg.Certificate.Certificate
	last, err := x509.ParseCertificate(sent[len(sent)-1])
	if err != nil {
		return "its issuer"
	}
	return last.Issuer.String()
}

// alertOf returns the alert in an error of crypto/tls, and whose it was: "remote"
// for the peer's, "local" for what crypto/tls sent itself. Its type is not
// exported there; a test holds that it is a number.
func alertOf(err error) (a alert, whose string) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Err == nil {
		return 0, ""
	}
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return 0, ""
	}
	switch op.Op {
	case "remote error":
		return alert(v.Uint()), "remote"
	case "local error":
		return alert(v.Uint()), "local"
	}
	return 0, ""
}

// peerAlert returns the alert with which the peer has ended a handshake that
// failed with err.
//
// A client of OpenSSL that does not take our certificate under TLS 1.3 sends its
// alert in clear: it has not switched to its handshake keys by then. To crypto/tls
// that is a record that cannot be decrypted; so the records are watched as they
// come.
func (c *conn) peerAlert(err error) (alert, bool) {
	a, whose := alertOf(err)
	switch {
	case whose == "remote":
		return a, true
	case whose == "local" && a == alertBadRecordMAC && c.in.clear.alerted:
		return c.in.clear.alert, true
	}
	return 0, false
}

// versionName is tls.VersionName for any version, of which some are older than
// crypto/tls: no version is given as a number.
func versionName(v uint16) string {
	switch {
	case v == 0x0002:
		return "SSL 2"
	case v == 0x0300:
		return "SSL 3"
	case v>>8 == 0xfe:
		return "DTLS"
	case v >= tls.VersionTLS10 && v <= tls.VersionTLS13:
		return tls.VersionName(v)
	}
	return "an unknown version"
}
