package relay

import (
	"errors"
	"fmt"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// malformed counts a packet whose attributes or length are wrong, and returns err. The
// packets after it cannot be trusted, so the connection must be closed (RFC 6613 §2.6.4).
func (c *Connection) malformed(err error) error {
	fate := metrics.FateBadAttributes
	if errors.Is(err, wire.ErrLength) {
		fate = metrics.FateBadLength
	}
	c.recordOther(fate)
	return err
}

// notRequest handles a packet that is not a request. It may answer one that was sent down the
// connection. Any other is counted and dropped: one with an unknown Code, or a reply that
// nobody waits for. The connection stays open (RFC 6613 §2.6.4).
func (c *Connection) notRequest(b *burst, v *wire.View) error {
	if c.link != nil && wire.IsReply(v.Code()) {
		if ours, err := c.reply(b, v); ours {
			return err
		}
	}
	code := v.Code()
	fate := metrics.FateUnknownCode
	if wire.IsReply(code) {
		fate = metrics.FateUnexpectedReply
	}
	c.recordOther(fate)
	return nil
}

// unverified finishes a request that does not verify, and returns why the connection must
// be closed (RFC 6613 §2.6.4). It must be closed, too, after an Access-Request without a
// required Message-Authenticator, since its client would wait if it were only dropped. A
// Status-Server without one is silently dropped (RFC 5997 §3): unverified returns nil.
func (c *Connection) unverified(req *request, err error) error {
	closeErr := fmt.Errorf("%s request of client %q: %w", req.Kind, req.client.Name, err)
	if c.origin.DTLS && (errors.Is(err, wire.ErrMessageAuthenticator) || errors.Is(err, wire.ErrRequestAuthenticator)) { // the likeliest mistake
		closeErr = fmt.Errorf("%w; over DTLS the secret is \"radius/dtls\", not \"radsec\", unless the client has one of its own (RFC 7360 §2.1)", closeErr)
	}
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

// Refuse handles a packet of RADIUS/1.1 that exceeds a limit of its connection or its
// client; fate says which. It is answered like a request that cannot be forwarded (RFC 9765
// §6.1), except Status-Server, which gets no answer, so that its client sends less (RFC
// 5997 §4.2). Flush returns an error if the connection must be closed.
func (c *Connection) Refuse(p []byte, fate metrics.Fate) {
	b := c.acquireBurst()
	if c.process(b) != nil { // the packets before it, which may have the same Token
		return
	}
	if err := c.parse(&b.view, p); err != nil {
		c.closeErr = c.malformed(err)
		return
	}
	if b.view.Kind() == wire.KindOther {
		if err := c.notRequest(b, &b.view); err != nil {
			c.closeErr = err
		}
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
