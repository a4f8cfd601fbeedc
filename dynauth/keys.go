package dynauth

import (
	"encoding/binary"
	"hash/maphash"

	"radsec-gw/wire"
)

// Attribute types that say which session or NAS a packet is about (RFC 5176 §3). The one in
// View is not repeated here.
const (
	typeUserName         = 1
	typeNASIPAddress     = 4
	typeClass            = 25
	typeCalledStationID  = 30
	typeCallingStationID = 31
	typeNASIdentifier    = 32
	typeAcctStatusType   = 40 // RFC 2866 §5.1
	typeAcctSessionID    = 44
	typeAcctMultiSession = 50
	typeNASIPv6Address   = 95  // RFC 3162 §2.1
	typeOperatorName     = 126 // RFC 5580 §4.1
	typeExtended1        = 241
	extOperatorNAS       = 8 // 241.8, RFC 8559 §3.4
)

// Values of Acct-Status-Type (RFC 2866 §5.1).
const (
	acctStart = 1
	acctStop  = 2
	acctOn    = 7
	acctOff   = 8
)

// names are the attributes of a packet that say which session or NAS it is about: the first
// of each type, inside the packet; nil: there is none.
type names struct {
	nasIdentifier, operatorNAS, nasIP, nasIPv6, called    []byte
	session, multiSession, calling, userName, class, oper []byte
	status                                                uint32 // Acct-Status-Type; 0: none
}

// read reads the names of a packet in one pass.
func (n *names) read(v *wire.View) {
	*n = names{}
	p := v.Packet
	for off := wire.MinLength; off < len(p); {
		end := off + int(p[off+1])
		if to := n.field(p[off]); to != nil {
			if *to == nil {
				*to = p[off+2 : end : end]
			}
		} else if p[off] == typeExtended1 && end-off > 2 && p[off+2] == extOperatorNAS {
			if n.operatorNAS == nil {
				n.operatorNAS = p[off+3 : end : end]
			}
		} else if p[off] == typeAcctStatusType && end-off == 6 {
			n.status = binary.BigEndian.Uint32(p[off+2 : end])
		}
		off = end
	}
}

// field returns the field for an attribute type, nil if there is none.
func (n *names) field(t byte) *[]byte {
	switch t {
	case typeUserName:
		return &n.userName
	case typeNASIPAddress:
		return &n.nasIP
	case typeClass:
		return &n.class
	case typeCalledStationID:
		return &n.called
	case typeCallingStationID:
		return &n.calling
	case typeNASIdentifier:
		return &n.nasIdentifier
	case typeAcctSessionID:
		return &n.session
	case typeAcctMultiSession:
		return &n.multiSession
	case typeNASIPv6Address:
		return &n.nasIPv6
	case typeOperatorName:
		return &n.oper
	}
	return nil
}

// keyKind is what a key is made of. Those before kindNASIdentifier name a session.
type keyKind uint8

const (
	kindSession       keyKind = iota // Acct-Session-Id
	kindMultiSession                 // Acct-Multi-Session-Id
	kindStation                      // Calling-Station-Id with User-Name
	kindClass                        // Class
	kindNASIdentifier                // NAS-Identifier or Operator-NAS-Identifier
	kindAddress                      // NAS-IP-Address or NAS-IPv6-Address
	kindCalled                       // Called-Station-Id
	numKinds
)

// namesSession reports whether keys of the kind name a session, not a NAS.
func (k keyKind) namesSession() bool { return k < kindNASIdentifier }

// key is the hash of one or two names under a secret seed. Two names with the same key are
// so unlikely (one in 10^7 with a million of them) that the names themselves are not kept,
// and nobody can construct them.
type key uint64

// hasher makes keys. It is immutable.
type hasher struct{ seeds [numKinds]maphash.Seed }

func newHasher() (h hasher) {
	for k := range h.seeds {
		h.seeds[k] = maphash.MakeSeed()
	}
	return h
}

func (h *hasher) key(k keyKind, value []byte) key { return key(maphash.Bytes(h.seeds[k], value)) }

// station returns the key of a Calling-Station-Id with a User-Name. A MAC address is the
// same however it is written: servers rewrite it.
func (h *hasher) station(calling, userName []byte) key {
	var plain [12]byte
	if mac, ok := appendMAC(plain[:0], calling); ok {
		calling = mac
	}
	a := maphash.Bytes(h.seeds[kindStation], calling)
	b := maphash.Bytes(h.seeds[kindStation], userName)
	return key(a*0x9e3779b97f4a7c15 ^ b)
}

// appendMAC appends the twelve hexadecimal digits of a MAC address in lower case. It reports
// false if the text is not one, in any of the usual forms.
func appendMAC(to, text []byte) ([]byte, bool) {
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
		case c >= 'A' && c <= 'F':
			c += 'a' - 'A'
		case c == '-', c == ':', c == '.':
			continue
		default:
			return nil, false
		}
		if len(to) == 12 {
			return nil, false
		}
		to = append(to, c)
	}
	return to, len(to) == 12
}

// keyList are the keys of one packet with their kinds, in the order of RC8.
type keyList struct {
	n     int
	keys  [10]key
	kinds [10]keyKind
	names [10][]byte // of identities: what the key is the hash of
}

func (l *keyList) add(k keyKind, value key, name []byte) {
	l.keys[l.n], l.kinds[l.n], l.names[l.n] = value, k, name
	l.n++
}

// identity appends the keys of the NAS.
func (l *keyList) identity(h *hasher, n *names) {
	for _, one := range [...]struct {
		kind keyKind
		name []byte
	}{{kindNASIdentifier, n.operatorNAS}, {kindNASIdentifier, n.nasIdentifier}, {kindAddress, n.nasIP}, {kindAddress, n.nasIPv6}, {kindCalled, n.called}} {
		if len(one.name) > 0 {
			l.add(one.kind, h.key(one.kind, one.name), one.name)
		}
	}
}

// sessions appends the keys of the session. class is that of the reply, or of the request.
func (l *keyList) sessions(h *hasher, n *names, class []byte) {
	if len(n.session) > 0 {
		l.add(kindSession, h.key(kindSession, n.session), nil)
	}
	if len(n.multiSession) > 0 {
		l.add(kindMultiSession, h.key(kindMultiSession, n.multiSession), nil)
	}
	if len(n.calling) > 0 && len(n.userName) > 0 {
		l.add(kindStation, h.station(n.calling, n.userName), nil)
	}
	if len(class) > 0 {
		l.add(kindClass, h.key(kindClass, class), nil)
	}
}
