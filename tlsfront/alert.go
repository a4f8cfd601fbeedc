package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strconv"
	"time"

	"radsec-gw/identity"
)

// alert is the description of a TLS alert (RFC 8446 §6).
type alert uint8

// The alerts that this package refers to.
const (
	alertCloseNotify           alert = 0
	alertBadRecordMAC          alert = 20
	alertUserCanceled          alert = 90
	alertNoApplicationProtocol alert = 120
)

// alertKind is what an alert is about, which determines the advice.
type alertKind uint8

const (
	aboutOther              alertKind = iota
	aboutTrust                        // the CA of our certificate
	aboutCertificate                  // our certificate itself
	aboutName                         // the name in our certificate, or in the peer's SNI
	aboutVersion                      // the version of TLS
	aboutSuites                       // cipher suites, groups, signature algorithms
	aboutProtocol                     // ALPN: the version of RADIUS
	aboutMissingCertificate           // the peer's missing certificate
	aboutDamage                       // octets that were changed or lost in transit, or a bug
	aboutPeerItself                   // a failure within the peer
	aboutUnderstanding                // a message that the other side does not understand
)

// alertNames is the IANA registry "TLS Alerts".
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
	42:                         {"bad_certificate", aboutTrust}, // Go also sends it for an unknown CA or name
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

// explain says what an alert from the peer means, and what to do.
func (a alert) explain(own *tls.Certificate) string {
	kind := alertNames[a].kind
	if kind == aboutTrust || kind == aboutCertificate {
		if why := refusedByAll(own, time.Now()); why != "" {
			return "the peer does not accept this gateway's certificate: " + why
		}
	}
	switch kind {
	case aboutTrust:
		return fmt.Sprintf("the peer does not trust this gateway's certificate: give it the CA that signed it, %s, and include the name that it checks in the certificate", issuerName(own))
	case aboutCertificate:
		return "the peer does not accept this gateway's certificate: see radsec-gw check for its expiry, names, key and purpose"
	case aboutName:
		return "the peer checks a name that this gateway's certificate does not have: compare the name that it connects to with those in the certificate"
	case aboutVersion:
		return "the peer does not support a version of TLS that is accepted here: see min_tls"
	case aboutSuites:
		return "the peer finds no cipher suite, group or signature algorithm in common: see cipher_suites and min_tls here, its own settings, and whether it supports the type of this gateway's key"
	case aboutProtocol:
		return "the peer does not support a version of RADIUS that is supported here (RFC 9765 §3.3): see radius_versions"
	case aboutMissingCertificate:
		return "the peer expects a certificate from the gateway"
	case aboutDamage:
		return "something between the peer and the gateway changes what they send, or one of their TLS libraries is faulty"
	case aboutPeerItself:
		return "the peer aborted by itself: its own log says why"
	case aboutUnderstanding:
		return "the peer does not understand what the gateway sent: its own log says what; a middlebox or an old TLS library may be the cause"
	}
	return "the peer's own log says why"
}

// refusedByAll says why every peer refuses a certificate of the gateway, or returns "".
func refusedByAll(own *tls.Certificate, now time.Time) string {
	if own == nil || own.Leaf == nil {
		return ""
	}
	return identity.Refused(own.Leaf, now)
}

// issuerName returns the issuer of the last certificate that the gateway sends: a peer has
// to trust it.
func issuerName(own *tls.Certificate) string {
	if own == nil || len(own.Certificate) == 0 {
		return "its issuer"
	}
	sent := own.Certificate
	last, err := x509.ParseCertificate(sent[len(sent)-1])
	if err != nil {
		return "its issuer"
	}
	return last.Issuer.String()
}

// alertOf returns the alert in an error of crypto/tls, and its origin: "remote" for an
// alert of the peer, "local" for one that crypto/tls sent. The type of the error is not
// exported; a test checks that it is a number.
func alertOf(err error) (a alert, origin string) {
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

// peerAlert returns the alert of the peer because of which a handshake failed with err.
//
// An OpenSSL client that does not accept our certificate in TLS 1.3 sends its alert
// unencrypted: it has not switched to its handshake keys yet. crypto/tls sees a record
// that cannot be decrypted; so clearRecords looks for the alert.
func (c *conn) peerAlert(err error) (alert, bool) {
	a, origin := alertOf(err)
	switch {
	case origin == "remote":
		return a, true
	case origin == "local" && a == alertBadRecordMAC && c.in.clear.alerted:
		return c.in.clear.alert, true
	}
	return 0, false
}

// versionName is like tls.VersionName, but also names versions that crypto/tls does not
// support.
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
