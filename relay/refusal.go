package relay

import (
	"errors"
	"fmt"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// malformed: borders that cannot be trusted cost the connection (RFC 6613 §2.6.4).
func (c *Connection) malformed(err error) error {
	fate := metrics.FateBadAttributes
	if errors.Is(err, wire.ErrLength) {
		fate = metrics.FateBadLength
	}
	c.recordOther(fate)
	return err
}

// notRequest: an unknown Code, or a reply to nothing we asked, is discarded and
// the connection stays (RFC 6613 §2.6.4).
func (c *Connection) notRequest(code wire.Code) {
	fate := metrics.FateUnknownCode
	if wire.IsReply(code) {
		fate = metrics.FateUnexpectedReply
	}
	c.recordOther(fate)
}

// unverified: a packet that fails its authenticator costs the connection (RFC
// 6613 §2.6.4), and so does an Access-Request without the Message-Authenticator
// that it must have, since discarding it would leave its client waiting. A
// Status-Server without one is dropped in silence (RFC 5997 §3).
func (c *Connection) unverified(req *request, err error) error {
	defer c.relay.recycle(req)
	switch {
	case errors.Is(err, wire.ErrNoMessageAuthenticator):
		req.recordFate(metrics.FateMissingMessageAuthenticator, nil)
		if req.Kind == wire.KindStatus {
			return nil
		}
	case errors.Is(err, wire.ErrRequestAuthenticator):
		req.recordFate(metrics.FateBadRequestAuthenticator, nil)
	default:
		req.recordFate(metrics.FateBadMessageAuthenticator, nil)
	}
	return fmt.Errorf("%s request of client %q: %w", req.Kind, req.client.Name, err)
}
