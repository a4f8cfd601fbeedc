package dtlsfront

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// failures are errors of pion, by what their texts contain: it does not export them.
var failures = []struct {
	text   string
	result metrics.Handshake
	say    string // what is logged before pion's text
}{
	{"server required client verification, but got none", metrics.HandshakeNoCertificate, "the client presented no certificate, but client_auth requires one: give it a certificate from the configured client CA"},
	{"do not support any shared cipher suites", metrics.HandshakeNoCommonCipher, "the client offers no cipher suite that is accepted: expected an ECDHE suite with AES-GCM or ChaCha20-Poly1305"},
	{"unsupported protocol version", metrics.HandshakeOldVersion, "the client does not offer DTLS 1.2"},
	{"alert: Alert Fatal: BadCertificate", metrics.HandshakePeerAlert, "the client refused the gateway's certificate (bad_certificate): does it trust the CA, and is the name that it connects to in the certificate?"},
	{"alert: Alert Fatal: UnknownCA", metrics.HandshakePeerAlert, "the client refused the gateway's certificate (unknown_ca): it does not trust its CA"},
	{"alert: Alert Fatal: CertificateExpired", metrics.HandshakePeerAlert, "the client refused the gateway's certificate (certificate_expired): is its clock right?"},
	{"alert: Alert Fatal", metrics.HandshakePeerAlert, "the client ended the handshake with an alert"},
	{"alert: Alert Warning: CloseNotify", metrics.HandshakePeerClosed, "the client ended the handshake"},
}

// explained returns an error that says what one of pion means.
func explained(err error) error {
	for _, f := range failures {
		if strings.Contains(err.Error(), f.text) {
			return fmt.Errorf("%s (%w)", f.say, err)
		}
	}
	return err
}

// resultOf returns what a handshake counts as that led to no session, and the level to log it
// with.
func resultOf(how Count, err error) (metrics.Handshake, slog.Level) {
	var r *sessions.Refusal
	switch {
	case how == HandshakeTimeout:
		return metrics.HandshakeTimeout, slog.LevelWarn
	case how == HandshakeDisplaced:
		return metrics.HandshakeDisplaced, slog.LevelWarn
	case errors.Is(err, errTooMany), errors.Is(err, errSourceTooMany):
		return metrics.HandshakeTooMany, slog.LevelWarn
	case errors.Is(err, errTooLong):
		return metrics.HandshakeExcessive, slog.LevelWarn
	case errors.Is(err, errStopping):
		return metrics.HandshakeShutdown, slog.LevelDebug
	case errors.Is(err, errReplaced) && errors.Is(err, errUnproved):
		return metrics.HandshakeTimeout, slog.LevelWarn
	case errors.Is(err, errReplaced):
		return metrics.HandshakePeerClosed, slog.LevelDebug
	case errors.As(err, &r):
		return r.Result, slog.LevelWarn
	}
	for _, f := range failures {
		if strings.Contains(err.Error(), f.text) {
			return f.result, slog.LevelWarn
		}
	}
	return metrics.HandshakeOther, slog.LevelWarn
}
