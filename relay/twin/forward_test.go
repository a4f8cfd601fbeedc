package twin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Why a packet cannot be forwarded.
var (
	ErrPassword  = errors.New("User-Password of a wrong length")          // P35, P126
	ErrChallenge = errors.New("no challenge that RADIUS/1.1 could carry") // P128
	ErrTooLong   = errors.New("more than 4096 octets")                    // P15
	ErrHidden    = errors.New("a key decrypts to an impossible length")   // P40
)

// transfer copies attributes from one hop to the next.
type transfer struct {
	from, to Hop
	v11      bool // the client speaks RADIUS/1.1
	toServer bool
	code     byte
	eap      bool
	errs     []error
	out      *layout
	links    map[[2]int]*link // by attribute, and the attribute inside
}

func (c *transfer) fail(err error) { c.errs = append(c.errs, err) }

// ForServer returns the server's copy of a client's request whose fate is Relay, with
// what is random in it taken from seen, the gateway's copy. Without seen only the length
// and the errors are right: all reasons why it cannot be forwarded, of which a gateway
// may give any. nas is the NAS-Identifier of a server
// that is a NAS, the last hop of CoA and Disconnect; "" for all others.
func ForServer(req []byte, v11 bool, client, server, nas string, seen []byte) (want []byte, errs []error) {
	list, _ := Parse(req)
	code := req[0]
	c := &transfer{v11: v11, toServer: true, code: code, eap: has(list, eapMessage), out: &layout{b: make([]byte, 20)}}
	c.from, c.to = Hop{Secret: client}, Hop{Secret: server}
	var ra [16]byte
	if code == AccessRequest {
		copy(ra[:], seen[min(4, len(seen)):])
		if has(list, arapPassword) {
			ra = [16]byte(req[4:20]) // P37
		} else if seen != nil && !v11 && ra == [16]byte(req[4:20]) {
			c.fail(errors.New("the Request Authenticator is the client's")) // P23
		}
		c.from.Vector, c.to.Vector = [16]byte(req[4:20]), ra
	}
	if v11 && code == AccessRequest && (has(list, arapPassword) || has(list, chapPassword) && !has(list, chapChallenge)) {
		c.fail(ErrChallenge)
	}
	// RADIUS/1.1 has no Message-Authenticator, so the copy always has one (P52, P129).
	mac := code == AccessRequest || dynamic(code) && (v11 || has(list, messageAuth) || c.eap)
	if mac {
		c.out.attribute(messageAuth, literal(make([]byte, 16))) // P46: first
	}
	if nas != "" && dynamic(code) {
		list = lastHop(list, nas)
	}
	c.attributes(list)
	if code == AccessRequest && !v11 && has(list, chapPassword) && !has(list, chapChallenge) && !has(list, arapPassword) {
		c.out.attribute(chapChallenge, literal(bytes.Clone(req[4:20]))) // P36
	}
	marker(c.out, seen)
	c.tooLong(len(req))
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	if seen == nil {
		return c.out.b, nil
	}
	return c.complete(code, seen[1], ra, seen, mac, code != AccessRequest, server)
}

// lastHop returns the attributes of a request that go to a NAS: without Operator-Name and
// Operator-NAS-Identifier, and with one that identifies it (RFC 8559 §4.2; P89, P90).
func lastHop(list []Attr, nas string) (kept []Attr) {
	for _, a := range list {
		if a.T != operatorName && (a.T != extended1 || len(a.V) == 0 || a.V[0] != 8) {
			kept = append(kept, a)
		}
	}
	if !has(kept, nasIPAddress) && !has(kept, nasIdentifier) && !has(kept, nasIPv6Address) {
		kept = append(kept, Attr{nasIdentifier, []byte(nas)})
	}
	return kept
}

// marker copies the gateway's own Proxy-State from seen, one of an octet or more after
// everything else (P31).
func marker(l *layout, seen []byte) {
	n := len(l.b)
	if len(seen) >= n+3 && seen[n] == proxyState && int(seen[n+1]) == len(seen)-n {
		l.put(literal(bytes.Clone(seen[n:])))
	}
}

// tooLong records that the packet exceeds its limit, or that it may have before another
// reason for refusing it was found.
func (c *transfer) tooLong(before int) {
	if len(c.out.b) > 4096 || len(c.errs) > 0 && before > 3000 {
		c.fail(ErrTooLong)
	}
}

// complete writes the header, hides and signs.
func (c *transfer) complete(code, id byte, vector [16]byte, seen []byte, mac, computed bool, secret string) ([]byte, []error) {
	if err := c.out.finish(c.to, seen); err != nil {
		return nil, []error{err}
	}
	b := c.out.b
	b[0], b[1] = code, id
	copy(b[4:], vector[:])
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	if mac {
		copy(b[22:], MAC(b, vector, secret))
	}
	if computed {
		sum := Sum(b, vector, secret)
		copy(b[4:], sum[:])
	}
	return b, nil
}

// ForClient returns the client's copy of a valid reply to the request sent,
// the gateway's copy of req, with the salts of seen. Without seen only its length is right.
func ForClient(reply, req, sent []byte, v11 bool, server, client string, seen []byte) (want []byte, errs []error) {
	list, _ := Parse(reply)
	asked, _ := Parse(req)
	c := &transfer{v11: v11, code: reply[0], eap: has(list, eapMessage), out: &layout{b: make([]byte, 20)}}
	c.from, c.to = Hop{server, [16]byte(sent[4:20])}, Hop{client, [16]byte(req[4:20])}
	mac := false
	switch {
	case v11: // P125
	case req[0] == AccountingRequest: // C5
	default:
		mac = req[0] == AccessRequest || has(asked, messageAuth) || c.eap // P50, P48
	}
	if mac {
		c.out.attribute(messageAuth, literal(make([]byte, 16)))
	}
	c.attributes(list)
	for _, state := range Values(asked, proxyState) {
		c.out.attribute(proxyState, literal(state)) // P30
	}
	c.tooLong(len(reply))
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	if seen == nil {
		return c.out.b, nil
	}
	if !v11 {
		return c.complete(reply[0], req[1], [16]byte(req[4:20]), seen, mac, true, client)
	}
	b := c.out.b
	b[0] = reply[0]
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[4:8], req[4:8]) // P122: the Token, all else zero
	return b, nil
}

// attributes writes the attributes that are copied, in order.
func (c *transfer) attributes(list []Attr) {
	var kept []Attr
	for _, a := range list {
		if !c.ofThisHop(a) {
			kept = append(kept, a)
		}
	}
	c.link(kept)
	for at, a := range kept {
		if a.T == vendor {
			c.vendorSpecific(at, a.V)
		} else {
			c.standard(a)
		}
	}
}

// ofThisHop reports whether an attribute is not copied (P32, P45, P99, P125).
func (c *transfer) ofThisHop(a Attr) bool {
	if a.T == messageAuth || a.T == proxyState {
		return true
	}
	if a.T == eapMessage && (c.code == AccountingRequest || c.code == AccountingResponse) {
		return true // RFC 2869 §5.19
	}
	if a.T != extended1 || len(a.V) == 0 {
		return false
	}
	return a.V[0] == 3 || a.V[0] == 4 && c.v11
}

// standard writes an attribute without a vendor.
func (c *transfer) standard(a Attr) {
	how := Hidden[Key{0, int(a.T), 0}]
	if a.T == userPassword {
		switch wrong := len(a.V) > 128; {
		case c.v11 && c.toServer && wrong, !c.v11 && c.code == AccessRequest && (wrong || !how.fits(a.V)):
			if !c.eap && c.code == AccessRequest {
				c.fail(ErrPassword)
			}
			return // P17: it has no meaning beside EAP
		case !c.v11 && wrong:
			how = Plain
		}
	}
	p, ok := c.value(how, nil, a.V, 0)
	if ok && !c.out.attribute(a.T, p) {
		c.fail(fmt.Errorf("attribute %d: %w", a.T, ErrTooLong))
	}
}
