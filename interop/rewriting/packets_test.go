package rewriting

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"strings"

	"layeh.com/radius"
)

// attr returns an attribute with a text or octets as its value.
func attr(t byte, value string) *radius.AVP {
	return &radius.AVP{Type: radius.Type(t), Attribute: radius.Attribute(value)}
}

// vsa returns a Vendor-Specific with these sub-attributes (RFC 2865 §5.26).
func vsa(vendor uint32, subs ...string) *radius.AVP {
	value := binary.BigEndian.AppendUint32(nil, vendor)
	return &radius.AVP{Type: 26, Attribute: append(value, strings.Join(subs, "")...)}
}

// sub returns a sub-attribute of a vendor.
func sub(t byte, value string) string { return string([]byte{t, byte(2 + len(value))}) + value }

// hops are attributes that every hop writes anew: Message-Authenticator and Proxy-State.
func isHop(a *radius.AVP) bool { return a.Type == 80 || a.Type == 33 }

// shown returns the attributes of a packet, without those of the hop, as text to compare.
func shown(list radius.Attributes) string {
	var b strings.Builder
	for _, a := range list {
		if !isHop(a) {
			fmt.Fprintf(&b, "%d:%q ", a.Type, []byte(a.Attribute))
		}
	}
	return strings.TrimSpace(b.String())
}

// signed returns a packet with its Message-Authenticator, which is its first attribute,
// computed over ra, and for a reply its Response Authenticator.
func signed(p *radius.Packet, ra [16]byte) ([]byte, error) {
	p.Authenticator = ra
	octets, err := p.MarshalBinary()
	if err != nil {
		return nil, err
	}
	mac := hmac.New(md5.New, p.Secret)
	mac.Write(octets)
	copy(octets[22:38], mac.Sum(nil))
	if p.Code != radius.CodeAccessRequest {
		sum := md5.Sum(append(append([]byte(nil), octets...), p.Secret...))
		copy(octets[4:20], sum[:])
	}
	return octets, nil
}
