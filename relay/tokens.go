package relay

import (
	"fmt"
	"hash/maphash"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// maxTokens bounds the requests that one RADIUS/1.1 connection may have in
// flight, where no space of 256 Identifiers does.
const maxTokens = 4096

// admit11 is admit for a RADIUS/1.1 connection. A client does not resend on TLS, so
// answers are not kept (RFC 9765 §4.2.2: deduplication SHOULD NOT be done); what is
// known is the Tokens in flight, whatever their packets' codes. The same packet
// again is dropped. Another with its Token ends the connection: replies could not
// be told apart any more.
func (l *Link) admit11(b *burst, x *exchange) (fresh bool) {
	p := x.view.Packet
	x.hash = maphash.Bytes(l.gateway.seed, p[wire.MinLength:]) ^ uint64(p[0])
	token := x.view.Token()

	l.mu.Lock()
	old, repeats := l.tokens[token], false
	if old != nil {
		repeats = old.hash == x.hash
	}
	full := len(l.tokens) >= maxTokens
	if l.tokens == nil {
		l.tokens = make(map[wire.Token]*exchange)
	}
	l.mu.Unlock()
	switch {
	case repeats:
		x.end(metrics.FateDuplicateDropped, nil)
		return false
	case old != nil:
		x.end(metrics.FateTokenReused, nil)
		l.refused = fmt.Errorf("%s request of client %q: Token %#08x is that of another request still unanswered (RFC 9765 §4.2.2)", x.Kind, x.client.Name, uint32(token))
		return false
	case full:
		return l.decline(b, x, metrics.FateTooManyOutstanding, causeResources)
	}
	return true
}

// unplace forgets a request that is in flight. With mu held. It reports false when
// the client is gone, or has given it up.
func (l *Link) unplace(x *exchange) bool {
	if token := x.view.Token(); l.tokens[token] == x {
		delete(l.tokens, token)
		return true
	}
	return false
}
