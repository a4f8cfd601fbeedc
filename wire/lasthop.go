package wire

// The attributes that matter at the last hop of a CoA or Disconnect.
const (
	typeNASIPv6Address       = 95 // RFC 3162 §2.1
	extOperatorNASIdentifier = 8  // 241.8, RFC 8559 §3.4
)

// NAS is the identification of a NAS in the requests that go to it. At most one field
// is set; without any, nothing is added.
type NAS struct {
	Identifier string // NAS-Identifier (RFC 2865 §5.32), at most 253 octets
	Address    []byte // NAS-IP-Address or NAS-IPv6-Address, 4 or 16 octets
}

// OperatorNASIdentifier returns the first Operator-NAS-Identifier (241.8, RFC 8559
// §3.4), inside Packet, or nil. It walks the packet.
func (v *View) OperatorNASIdentifier() []byte {
	for t, value := range v.All() {
		if t == typeExtended1 && len(value) > 0 && value[0] == extOperatorNASIdentifier {
			return value[1:]
		}
	}
	return nil
}

// NASIPv6Address returns the first NAS-IPv6-Address (RFC 3162 §2.1), sixteen octets
// when it is valid, or nil. It walks the packet.
func (v *View) NASIPv6Address() []byte { return v.Get(typeNASIPv6Address) }

// lastHop returns a view of the request without Operator-Name and
// Operator-NAS-Identifier, which are for proxies and not for the NAS, and whether it
// has an attribute that identifies the NAS; if not, one has to be added (RFC 8559
// §4.2). The view is valid until the next call.
func (c *cipher) lastHop(v *View) (without *View, identified bool) {
	if c.last == nil {
		c.last = new([MaxLength]byte)
	}
	src, dst := v.Packet, c.last[:]
	n := copy(dst, src[:MinLength])
	for off := MinLength; off < len(src); {
		next := off + int(src[off+1])
		t := src[off]
		if t != typeOperatorName && !(t == typeExtended1 && next-off > 2 && src[off+2] == extOperatorNASIdentifier) {
			n += copy(dst[n:], src[off:next])
		}
		if t == typeNASIdentifier || t == typeNASIPAddress || t == typeNASIPv6Address {
			identified = true
		}
		off = next
	}
	if b := putLength(dst, n); v.v11 {
		c.lastView.Parse11(b) // no error, here and below: the attributes are whole
	} else {
		c.lastView.Parse(b)
	}
	return &c.lastView, identified
}

// appendTo writes what identifies the NAS to dst[n:] and returns the new end.
func (s *NAS) appendTo(dst []byte, n int) (int, error) {
	switch {
	case s.Identifier != "":
		return appendText(dst, n, typeNASIdentifier, s.Identifier)
	case len(s.Address) == 4:
		return appendAttribute(dst, n, typeNASIPAddress, s.Address)
	case len(s.Address) == 16:
		return appendAttribute(dst, n, typeNASIPv6Address, s.Address)
	}
	return n, nil
}
