package wire

import (
	"bytes"
	"crypto/subtle"
	"slices"

	"radsec-gw/wire/dict"
)

// Attribute is one attribute of a packet in clear, to be shown to people.
type Attribute struct {
	Type   byte   // type in the packet; 26 for a vendor's
	Vendor uint32 // vendor number, 0 for none
	Number int    // the vendor's number, or the extended type inside 241 to 246 (RFC 6929 §2); 0 for none
	Sub    int    // TLV inside the vendor's attribute; 0 for none
	Name   string // as the RFCs or the vendor write it; "Attr-…" when not known
	Value  []byte // the value; in clear when Hidden and not Sealed, and then without tag, salt, length and padding
	Tag    byte   // the tag octet of a Tunnel-Password and its like
	Hidden bool   // the value was hidden under the secret
	Sealed bool   // it was hidden and could not be revealed: Value is unchanged
}

// Entry returns the dictionary's entry for the attribute, nil when it has none.
func (a *Attribute) Entry() *dict.Attribute {
	if a.Vendor != 0 {
		return dict.Lookup(a.Vendor, uint16(a.Number), byte(a.Sub))
	}
	return dict.Lookup(0, uint16(a.Type), byte(a.Number))
}

// Reveal returns the attributes of v in order, with the values hidden under s
// in clear. ra is the Request Authenticator of the request that v is or
// answers; it is not used for requests whose authenticator is computed, where zeros
// take its place (RFC 5176 §3.6). Without a secret, s nil, hidden values stay sealed.
// It allocates, and what it returns holds passwords.
func Reveal(v *View, ra *[16]byte, s *ServerSecret) []Attribute {
	r := revealer{}
	if s != nil {
		r.hop = hop{s.key, ra}
		switch v.Kind() {
		case KindAccounting, KindCoA, KindDisconnect:
			r.hop.vector = new([16]byte)
		}
	}
	for off := MinLength; off < len(v.Packet); {
		next := off + int(v.Packet[off+1])
		t, value := v.Packet[off], v.Packet[off+2:next]
		switch {
		case t == typeVendorSpecific:
			r.vendor(v.Packet, off, next)
		case t >= typeExtended1 && t < typeExtended1+6 && len(value) > extendedHead(t):
			r.list = append(r.list, Attribute{
				Type: t, Number: int(value[0]), Name: dict.Name(t, value[0]), Value: value[1+extendedHead(t):],
			})
		default:
			r.add(Attribute{Type: t, Name: dict.Name(t, 0), Value: value}, standardRules[t])
		}
		off = next
	}
	return r.list
}

// extendedHead returns the octets between the extended type and the value:
// 245 and 246 have one of flags (RFC 6929 §2.2).
func extendedHead(t byte) int {
	if t >= 245 {
		return 1
	}
	return 0
}

// revealer collects the attributes of one packet.
type revealer struct {
	hop    hop
	list   []Attribute
	cipher cipher    // for its scratch space
	torn   [256]bool // by number: the last value with parts was not whole
}

// vendor adds the attributes in the Vendor-Specific at b[off:next]. A value that is
// split over several is added where its first part is; the parts of one that is not
// whole are added one by one.
func (r *revealer) vendor(b []byte, off, next int) {
	vendor, ok := vendorOf(b[off:next])
	if !ok {
		r.list = append(r.list, Attribute{Type: typeVendorSpecific, Name: dict.Name(typeVendorSpecific, 0), Value: b[off+2 : next]})
		return
	}
	value := b[off+vendorHead : next]
	f := vendorFormat(vendor)
	if f == formatNone {
		f = format11 // most vendors', and RFC 2865's advice
	}
	if !f.fills(value) {
		_, sealed := f.mayHold(value, vendor)
		r.list = append(r.list, Attribute{Type: typeVendorSpecific, Vendor: vendor, Name: dict.VendorName(vendor, 0, 0), Value: value, Hidden: sealed, Sealed: sealed})
		return
	}
	for at := off + vendorHead; at < next; {
		number, n, _ := f.split(b[at:next])
		body := b[at+f.header() : at+n]
		switch {
		case f == format11c && r.cipher.done.has(number, at):
			if r.torn[byte(number)] {
				r.part(vendor, number, body)
			}
		case f.more(b[at : at+n]):
			joined, whole := r.cipher.join(parts{b: b, vendor: vendor, number: number, at: at, end: next, next: next})
			if r.torn[byte(number)] = !whole; whole {
				r.vendorValue(vendor, number, slices.Clone(joined))
			} else {
				r.part(vendor, number, body)
			}
		default:
			r.vendorValue(vendor, number, body)
		}
		at += n
	}
}

// part adds a part of a value that is not whole.
func (r *revealer) part(vendor uint32, number uint16, body []byte) {
	sealed := vendorRule(vendor, number, 0) != 0
	r.list = append(r.list, Attribute{Type: typeVendorSpecific, Vendor: vendor, Number: int(number),
		Name: dict.VendorName(vendor, number, 0), Value: body, Hidden: sealed, Sealed: sealed})
}

// vendorValue adds one vendor attribute, or the TLVs in it.
func (r *revealer) vendorValue(vendor uint32, number uint16, body []byte) {
	a := Attribute{Type: typeVendorSpecific, Vendor: vendor, Number: int(number)}
	how := ruleOf(vendor, number, body)
	if how&ruleTLVs == 0 || !format11.fills(body) {
		a.Name, a.Value = dict.VendorName(vendor, number, 0), body
		a.Hidden = how&ruleTLVs != 0 && len(body) != 0 // some of the TLVs are, but which?
		a.Sealed = a.Hidden
		r.add(a, how)
		return
	}
	for len(body) > 0 {
		sub, n, _ := format11.split(body)
		a.Sub, a.Value = int(sub), body[2:n]
		a.Name = dict.VendorName(vendor, number, byte(sub))
		r.add(a, vendorRule(vendor, number, byte(sub)))
		body = body[n:]
	}
}

// add appends a, revealed if its rule is that of a hidden value.
func (r *revealer) add(a Attribute, how rule) {
	if how&methodMask != 0 {
		a.Hidden, a.Sealed = true, true
		if r.hop.vector != nil {
			r.unseal(&a, how)
		}
	}
	r.list = append(r.list, a)
}

// unseal replaces a hidden value with its plain text, or leaves it sealed if it is
// malformed.
func (r *revealer) unseal(a *Attribute, how rule) {
	switch how & methodMask {
	case methodUserPassword:
		n := len(a.Value)
		if n > 0 && n%hiddenBlock == 0 && (a.Vendor != 0 || passwordLength(n)) {
			a.Value, a.Sealed = r.chain(a.Value, nil), false
			if how&ruleKeys == 0 { // keys may end in zeros
				a.Value = bytes.TrimRight(a.Value, "\x00")
			}
		}
	case methodSalted:
		head, ok := saltedHead(a.Value, how)
		if !ok {
			return
		}
		plain := r.chain(a.Value[head:], a.Value[head-saltLength:head])
		if n := int(plain[0]); n < len(plain) {
			if how&ruleTagged != 0 {
				a.Tag = a.Value[0]
			}
			plain = plain[1 : 1+n]
			if how&ruleLEAP != 0 {
				plain = slices.Concat(a.Value[:len(dict.LEAPPrefix)], plain)
			}
			a.Value, a.Sealed = plain, false
		}
	case methodAscend:
		if len(a.Value) == hiddenBlock {
			stream := r.cipher.ascendStream(r.hop)
			plain := make([]byte, hiddenBlock)
			subtle.XORBytes(plain, a.Value, stream[:])
			a.Value, a.Sealed = bytes.TrimRight(plain, "\x00"), false
		}
	}
}

// chain returns the plain text of hidden blocks.
func (r *revealer) chain(blocks, salt []byte) []byte {
	plain := make([]byte, len(blocks))
	r.cipher.revealBlocks(plain, blocks, &r.hop, salt)
	return plain
}
