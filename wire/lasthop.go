package wire

import "encoding/binary"

// The attributes that matter at the last hop of a CoA or Disconnect.
const (
	typeNASIPv6Address       = 95 // RFC 3162 §2.1
	extOperatorNASIdentifier = 8  // 241.8, RFC 8559 §3.4
)

// NAS is what a NAS is called in the requests that go to it. One of the fields is
// given, else there is nothing to add.
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

// lastHop returns a view of the request as the NAS is to get it: without
// Operator-Name and Operator-NAS-Identifier, which are for proxies, and with an
// attribute that identifies the NAS; that of nas is added when there is none (RFC
// 8559 §4.2). The view lies in a buffer of h's until the next call. Error:
// ErrTooLong.
func (h *hider) lastHop(v *View, nas *NAS) (*View, error) {
	if h.last == nil {
		h.last = new([MaxLength]byte)
	}
	src, dst, identified := v.Packet, h.last[:], false
	n := copy(dst, src[:MinLength])
	for off := MinLength; off < len(src); {
		next := off + int(src[off+1])
		switch t := src[off]; {
		case t == typeOperatorName, t == typeExtended1 && next-off > 2 && src[off+2] == extOperatorNASIdentifier:
			off = next
			continue
		case t == typeNASIdentifier, t == typeNASIPAddress, t == typeNASIPv6Address:
			identified = true
		}
		n += copy(dst[n:], src[off:next])
		off = next
	}
	if !identified {
		var err error
		if n, err = nas.appendTo(dst, n); err != nil {
			return nil, err
		}
	}
	binary.BigEndian.PutUint16(dst[2:4], uint16(n))
	if v.v11 {
		return &h.lastView, h.lastView.Parse11(dst[:n])
	}
	return &h.lastView, h.lastView.Parse(dst[:n])
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
