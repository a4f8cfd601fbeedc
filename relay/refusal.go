package relay

import (
	"errors"
	"fmt"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// malformed counts a packet whose attributes or length are wrong. Packets after it
// cannot be trusted, so it costs the connection (RFC 6613 §2.6.4).
func (c *Connection) malformed(err error) error {
	fate := metrics.FateBadAttributes
	if errors.Is(err, wire.ErrLength) {
		fate = metrics.FateBadLength
	}
	c.recordOther(fate)
	return err
}

// notRequest counts a packet with an unknown Code, or a reply to nothing that was sent:
// it is dropped, and the connection stays (RFC 6613 §2.6.4).
func (c *Connection) notRequest(code wire.Code) {
	fate := metrics.FateUnknownCode
	if wire.IsReply(code) {
		fate = metrics.FateUnexpectedReply
	}
	c.recordOther(fate)
}

// unverified finishes a request that fails its authenticator, which costs the connection
// (RFC 6613 §2.6.4), and so does an Access-Request without the Message-Authenticator
// that it must have, since dropping it would leave its client waiting. A
// Status-Server without one is dropped in silence (RFC 5997 §3).
func (c *Connection) unverified(req *request, err error) error {
	closeErr := fmt.Errorf("%s request of client %q: %w", req.Kind, req.client.Name, err)
	end := outcome{fate: metrics.FateBadMessageAuthenticator}
	switch {
	case errors.Is(err, wire.ErrNoMessageAuthenticator):
		end.fate = metrics.FateMissingMessageAuthenticator
		if req.Kind == wire.KindStatus {
			closeErr = nil
		}
	case errors.Is(err, wire.ErrRequestAuthenticator):
		end.fate = metrics.FateBadRequestAuthenticator
	}
	c.finish(req, end)
	return closeErr
}

// Refuse takes a packet of RADIUS/1.1 that is beyond a limit on its connection or its
// client, and gives it the fate that says which. It is answered as what cannot be
// forwarded is (RFC 9765 §6.1), but for Status-Server, whose silence says that its client
// sends too many (RFC 5997 §4.2). Flush reports whether the connection goes on.
func (c *Connection) Refuse(p []byte, fate metrics.Fate) {
	b := c.acquireBurst()
	if c.process(b) != nil { // what was before it, which may have its Token
		return
	}
	if err := c.parse(&b.view, p); err != nil {
		c.closeErr = c.malformed(err)
		return
	}
	if b.view.Kind() == wire.KindOther {
		c.notRequest(b.view.Code())
		return
	}
	req := c.newRequest(&b.view)
	end := outcome{fate: fate}
	if req.Kind != wire.KindStatus {
		var ok bool
		if end, ok = c.admit11(b, req); ok {
			end = b.decline(req, fate, causeResources)
		}
	}
	c.finish(req, end)
}
