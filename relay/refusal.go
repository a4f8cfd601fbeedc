package relay

import (
	"errors"
	"fmt"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// malformed: borders that cannot be trusted cost the connection (RFC 6613 §2.6.4).
func (l *Link) malformed(err error) error {
	fate := metrics.FateBadAttributes
	if errors.Is(err, wire.ErrLength) {
		fate = metrics.FateBadLength
	}
	l.ended(fate)
	return err
}

// notRequest: an unknown Code, or a reply to nothing we asked, is discarded and
// the connection stays (RFC 6613 §2.6.4).
func (l *Link) notRequest(c wire.Code) {
	fate := metrics.FateUnknownCode
	if wire.IsReply(c) {
		fate = metrics.FateUnexpectedReply
	}
	l.ended(fate)
}

// unverified: a packet that fails its authenticator costs the connection (RFC
// 6613 §2.6.4), and so does an Access-Request without the Message-Authenticator
// that it must have, since discarding it would leave its client waiting. A
// Status-Server without one is dropped in silence (RFC 5997 §3).
func (l *Link) unverified(x *exchange, err error) error {
	defer l.gateway.recycle(x)
	switch {
	case errors.Is(err, wire.ErrNoMessageAuthenticator):
		x.end(metrics.FateMissingMessageAuthenticator, nil)
		if x.Kind == wire.KindStatus {
			return nil
		}
	case errors.Is(err, wire.ErrRequestAuthenticator):
		x.end(metrics.FateBadRequestAuthenticator, nil)
	default:
		x.end(metrics.FateBadMessageAuthenticator, nil)
	}
	return fmt.Errorf("%s request of client %q: %w", x.Kind, x.client.Name, err)
}
