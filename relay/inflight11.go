package relay

import (
	"fmt"
	"hash/maphash"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// maxTokens is the most requests that a RADIUS/1.1 connection may have in flight. In
// RADIUS/1.0 the 256 Identifiers bound them.
const maxTokens = 4096

// admit11 is admit for a RADIUS/1.1 connection. A client does not resend over TLS, so
// answers are not kept (RFC 9765 §4.2.2: deduplication SHOULD NOT be done), only the
// requests in flight by Token, whatever their codes. The same packet again is dropped.
// After another packet with a Token in flight the connection must be closed, because the
// client could not distinguish the replies.
func (c *Connection) admit11(b *burst, req *request) (end outcome, ok bool) {
	p := req.view.Packet
	req.hash = maphash.Bytes(c.relay.seed, p[wire.MinLength:]) ^ uint64(p[0])
	token := req.view.Token()

	c.mu.Lock()
	old, repeats := c.inFlight11[token], false
	if old != nil {
		repeats = old.hash == req.hash
	}
	full := len(c.inFlight11) >= maxTokens
	if c.inFlight11 == nil {
		c.inFlight11 = make(map[wire.Token]*request)
	}
	c.mu.Unlock()
	switch {
	case repeats:
		return outcome{fate: metrics.FateDuplicateDropped}, false
	case old != nil:
		c.closeErr = fmt.Errorf("%s request of client %q: Token %#08x is that of another request still unanswered (RFC 9765 §4.2.2)", req.Kind, req.client.Name, uint32(token))
		return outcome{fate: metrics.FateTokenReused}, false
	case full:
		return b.decline(req, metrics.FateTooManyOutstanding, causeResources), false
	}
	return outcome{}, true
}

// untrack11 is untrack for a RADIUS/1.1 connection. Called with mu held.
func (c *Connection) untrack11(req *request) bool {
	token := req.view.Token()
	if c.inFlight11[token] != req {
		return false
	}
	delete(c.inFlight11, token)
	return true
}
