package dict

import "bytes"

// Attribute is the entry of one attribute in the dictionary.
type Attribute struct {
	Vendor uint32 // vendor number, 0 for none
	Number uint16 // type in the packet, or the vendor's number
	Sub    byte   // TLV inside a vendor's attribute, or extended type (RFC 6929 §2); 0 for none
	Name   string
	Type   Type
	Size   int // octets of every value; 0: any
	Hidden Method
	Tagged bool // a tag precedes the value (RFC 2868 §3)
	Secret bool // not to be shown to people, hidden or not
	Values []Value
}

// Type is the data type of an attribute's value (RFC 8044 §3).
type Type uint8

const (
	Octets       Type = iota // RFC 8044's string
	Text                     // UTF-8
	Integer                  // 32 bits
	Integer64                // 64 bits
	Time                     // 32 bits, seconds since 1970
	IPv4Addr                 // an IPv4 address
	IPv6Addr                 // an IPv6 address
	IPv4Prefix               // a reserved octet, the length, four octets of address
	IPv6Prefix               // a reserved octet, the length, as many octets of address as needed
	IfID                     // 64 bits, half an IPv6 address
	Concat                   // octets, continued in further attributes of the same type
	VSA                      // a vendor's number, then data in the vendor's layout
	Extended                 // the extended type, then the value (RFC 6929 §2.1)
	LongExtended             // the same with an octet of flags between them (RFC 6929 §2.2)
	EVS                      // a vendor's number and type inside an Extended (RFC 6929 §2.4)
)

// Method is how the shared secret hides a value.
type Method uint8

const (
	Clear        Method = iota // not at all
	UserPassword               // RFC 2865 §5.2, RFC 2548 §2.4.1
	Salted                     // RFC 2868 §3.5, RFC 2548 §2.4.2
	Ascend                     // XORed with MD5(Request Authenticator, secret)
	LEAP                       // Salted after LEAPPrefix; clear without that
)

// LEAPPrefix begins the Cisco-AVPair that carries the session key of LEAP. What
// follows is hidden as a salted value: two octets of salt, then blocks that hold
// a length octet and the key; for its 16 octets 34 in all. It is not published.
// FreeRADIUS (rlm_eap_leap, rlm_eap's post-proxy), Microsoft's proxy and hostapd
// (radius_msg_get_cisco_keys) agree on it. In RADIUS/1.1, where nothing is hidden,
// it is this text and then the key in clear.
const LEAPPrefix = "leap:session-key="

// HasLEAPPrefix reports whether a value begins with LEAPPrefix, ignoring case as
// FreeRADIUS does.
func HasLEAPPrefix(value []byte) bool {
	return len(value) >= len(LEAPPrefix) && bytes.EqualFold(value[:len(LEAPPrefix)], []byte(LEAPPrefix))
}

// IsHidden reports whether this value of the attribute, as it is in a packet, is
// hidden under the shared secret.
func (a *Attribute) IsHidden(value []byte) bool {
	return a.Hidden != Clear && (a.Hidden != LEAP || HasLEAPPrefix(value))
}

// Layout is how a vendor lays out the attributes inside a Vendor-Specific.
type Layout uint8

const (
	Layout11  Layout = iota // an octet of type, one of length: RFC 2865 §5.26 recommends it
	Layout21                // two octets of type, one of length: Lucent
	Layout11c               // an octet of type, one of length, one whose top bit says that the value continues: WiMAX
)

// Vendor is a vendor of which attributes are known.
type Vendor struct {
	Number uint32
	Name   string
	Layout Layout
}
