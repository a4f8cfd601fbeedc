package dtlsfront

import (
	"errors"
	"log/slog"
	"strings"

	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// failures are errors of pion, by what their texts contain: it does not export them.
var failures = []struct {
	text   string
	result metrics.Handshake
}{
	{"server required client verification, but got none", metrics.HandshakeNoCertificate},
	{"do not support any shared cipher suites", metrics.HandshakeNoCommonCipher},
	{"unsupported protocol version", metrics.HandshakeOldVersion},
	{"alert: Alert Fatal", metrics.HandshakePeerAlert},
	{"alert: Alert Warning: CloseNotify", metrics.HandshakePeerClosed},
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
