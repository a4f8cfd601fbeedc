package wire

import (
	"encoding/binary"
	"iter"
	"time"

	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2868"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"
	"layeh.com/radius/rfc5580"
)

// The attribute types that a proxy acts on.
const (
	typeUserName             = byte(rfc2865.UserName_Type)
	typeUserPassword         = byte(rfc2865.UserPassword_Type)
	typeCHAPPassword         = byte(rfc2865.CHAPPassword_Type)
	typeNASIPAddress         = byte(rfc2865.NASIPAddress_Type)
	typeReplyMessage         = byte(rfc2865.ReplyMessage_Type)
	typeState                = byte(rfc2865.State_Type)
	typeVendorSpecific       = byte(rfc2865.VendorSpecific_Type)
	typeCallingStationID     = byte(rfc2865.CallingStationID_Type)
	typeNASIdentifier        = byte(rfc2865.NASIdentifier_Type)
	typeProxyState           = byte(rfc2865.ProxyState_Type)
	typeEventTimestamp       = byte(rfc2869.EventTimestamp_Type)
	typeCHAPChallenge        = byte(rfc2865.CHAPChallenge_Type)
	typeTunnelPassword       = byte(rfc2868.TunnelPassword_Type)
	typeARAPPassword         = byte(rfc2869.ARAPPassword_Type)
	typeEAPMessage           = byte(rfc2869.EAPMessage_Type)
	typeMessageAuthenticator = byte(rfc2869.MessageAuthenticator_Type)
	typeErrorCause           = byte(rfc3576.ErrorCause_Type)
	typeOperatorName         = byte(rfc5580.OperatorName_Type)
	typeAscendSendSecret     = 214 // Ascend's numbers outside its vendor space
	typeAscendReceiveSecret  = 215
	typeExtended1            = 241 // RFC 6929 §3.1
	extResponseLength        = 3   // 241.3, RFC 7930 §4
	extOriginalPacketCode    = 4   // 241.4, RFC 7930 §4
)

// slot is an index of View.first. There are sixteen slots, so that a masked index
// needs no bounds check in Parse.
type slot uint8

const (
	slotOther slot = iota
	slotUserName
	slotUserPassword
	slotCHAPPassword
	slotNASIPAddress
	slotState
	slotCallingStationID
	slotNASIdentifier
	slotProxyState
	slotEventTimestamp
	slotCHAPChallenge
	slotARAPPassword
	slotEAPMessage
	slotMessageAuthenticator
	slotErrorCause
	slotOperatorName
	numSlots
)

// slotOf maps an attribute type to its slot; read only.
var slotOf = [256]slot{
	typeUserName:             slotUserName,
	typeUserPassword:         slotUserPassword,
	typeCHAPPassword:         slotCHAPPassword,
	typeNASIPAddress:         slotNASIPAddress,
	typeState:                slotState,
	typeCallingStationID:     slotCallingStationID,
	typeNASIdentifier:        slotNASIdentifier,
	typeProxyState:           slotProxyState,
	typeEventTimestamp:       slotEventTimestamp,
	typeCHAPChallenge:        slotCHAPChallenge,
	typeARAPPassword:         slotARAPPassword,
	typeEAPMessage:           slotEAPMessage,
	typeMessageAuthenticator: slotMessageAuthenticator,
	typeErrorCause:           slotErrorCause,
	typeOperatorName:         slotOperatorName,
}

// View is one packet whose framing has been checked, with the offsets of the
// attributes that a proxy acts on, found in one pass. It holds offsets only, so it
// stays valid when Packet is set to a copy of the same octets. The zero
// View is empty: call Parse before anything else.
type View struct {
	// Packet is the whole packet, header and attributes, exactly Length octets.
	Packet []byte

	first [numSlots]uint16 // offset of the first attribute of the slot's type; 0: none
	macs  uint16           // how many Message-Authenticators there are
	v11   bool             // read by Parse11
}

// Parse checks the framing of b and points v at it; b is kept, not copied.
// len(b) must equal the Length field: use Cut first on a stream or a padded
// datagram. The error is an ErrLength, or an ErrAttributes when
// the attributes do not exactly fill the packet (RFC 6613 §2.6.4); v is then
// not usable. Values are not checked here: unknown types and wrong
// sizes pass (RFC 6929 §2.8).
func (v *View) Parse(b []byte) error {
	if len(b) < MinLength {
		return &LengthError{Length: -1, Octets: len(b)}
	}
	if n := int(binary.BigEndian.Uint16(b[2:4])); n != len(b) || n > MaxLength {
		return &LengthError{Length: n, Octets: len(b)}
	}
	v.Packet, v.first, v.macs, v.v11 = b, [numSlots]uint16{}, 0, false
	for off := MinLength; off < len(b); {
		rest := b[off:]
		if len(rest) < 2 {
			return &AttributeError{Offset: off, Type: rest[0], Length: -1, Available: len(rest)}
		}
		n := int(rest[1])
		if n < 2 || n > len(rest) {
			return &AttributeError{Offset: off, Type: rest[0], Length: n, Available: len(rest)}
		}
		s := slotOf[rest[0]] % numSlots
		if v.first[s] == 0 {
			v.first[s] = uint16(off)
		}
		if s == slotMessageAuthenticator {
			v.macs++
		}
		off += n
	}
	return nil
}

// Code returns the packet's Code.
func (v *View) Code() Code { return Code(v.Packet[0]) }

// Kind returns what the request is for.
func (v *View) Kind() Kind { return KindOf(v.Code()) }

// Identifier returns the packet's Identifier octet.
func (v *View) Identifier() byte { return v.Packet[1] }

// Authenticator returns the Authenticator field, inside Packet.
func (v *View) Authenticator() *[16]byte { return (*[16]byte)(v.Packet[4:20]) }

// value returns the value of the first attribute of a slot, inside Packet, nil
// when there is none.
func (v *View) value(s slot) []byte {
	off := int(v.first[s])
	if off == 0 {
		return nil
	}
	end := off + int(v.Packet[off+1])
	return v.Packet[off+2 : end : end]
}

// UserName returns the first User-Name (RFC 2865 §5.1) or nil. Like all values
// here it lies inside Packet, and an empty value is empty but not nil.
func (v *View) UserName() []byte { return v.value(slotUserName) }

// OperatorName returns the first Operator-Name with its namespace octet
// (RFC 5580 §4.1) or nil.
func (v *View) OperatorName() []byte { return v.value(slotOperatorName) }

// State returns the first State (RFC 2865 §5.24) or nil.
func (v *View) State() []byte { return v.value(slotState) }

// CallingStationID returns the first Calling-Station-Id (RFC 2865 §5.31) or nil.
func (v *View) CallingStationID() []byte { return v.value(slotCallingStationID) }

// NASIdentifier returns the first NAS-Identifier (RFC 2865 §5.32) or nil.
func (v *View) NASIdentifier() []byte { return v.value(slotNASIdentifier) }

// NASIPAddress returns the first NAS-IP-Address (RFC 2865 §5.4), four octets
// when it is valid, or nil.
func (v *View) NASIPAddress() []byte { return v.value(slotNASIPAddress) }

// ErrorCause returns the first Error-Cause (RFC 5176 §3.5); 0 when there is
// none or it does not have four octets.
func (v *View) ErrorCause() uint32 {
	n, _ := integer(v.value(slotErrorCause))
	return n
}

// EventTimestamp returns the first Event-Timestamp in seconds since 1970
// (RFC 2869 §5.3); false when there is none or it does not have four octets.
func (v *View) EventTimestamp() (uint32, bool) { return integer(v.value(slotEventTimestamp)) }

// EventAge returns how long before now the Event-Timestamp is, negative for one
// in the future; false when there is none (RFC 5176 §6.3).
func (v *View) EventAge(now time.Time) (age time.Duration, ok bool) {
	seconds, ok := v.EventTimestamp()
	return now.Sub(time.Unix(int64(seconds), 0)), ok
}

// integer reads a value of type integer or time.
func integer(b []byte) (uint32, bool) {
	if len(b) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(b), true
}

// HasEAP reports whether the packet holds an EAP-Message (RFC 3579 §3.1).
func (v *View) HasEAP() bool { return v.first[slotEAPMessage] != 0 }

// HasState reports whether the packet holds a State.
func (v *View) HasState() bool { return v.first[slotState] != 0 }

// HasMessageAuthenticator reports whether the packet holds a
// Message-Authenticator, well-formed or not.
func (v *View) HasMessageAuthenticator() bool { return v.macs != 0 }

// HasProxyState reports whether the packet holds a Proxy-State.
func (v *View) HasProxyState() bool { return v.first[slotProxyState] != 0 }

// HasUserPassword reports whether the packet holds a User-Password.
func (v *View) HasUserPassword() bool { return v.first[slotUserPassword] != 0 }

// EAPIdentifier returns the Identifier octet of the EAP packet that the first
// EAP-Message begins (RFC 3748 §4); false when there is none, as in the empty
// EAP-Start (RFC 3579 §2.1).
func (v *View) EAPIdentifier() (byte, bool) {
	eap := v.value(slotEAPMessage)
	if len(eap) < 2 {
		return 0, false
	}
	return eap[1], true
}

// OriginalCode returns the Original-Packet-Code of a Protocol-Error
// (241.4, RFC 7930 §4); false when there is none or it is not an integer.
func (v *View) OriginalCode() (Code, bool) {
	for t, value := range v.All() {
		if t == typeExtended1 && len(value) == 5 && value[0] == extOriginalPacketCode {
			return Code(binary.BigEndian.Uint32(value[1:])), true
		}
	}
	return 0, false
}

// Get returns the value of the first attribute of type t, inside Packet, or
// nil. It walks the packet.
func (v *View) Get(t byte) []byte {
	for u, value := range v.All() {
		if u == t {
			return value
		}
	}
	return nil
}

// All ranges over the attributes in order: type and value, inside Packet.
func (v *View) All() iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for off := MinLength; off < len(v.Packet); {
			end := off + int(v.Packet[off+1])
			if !yield(v.Packet[off], v.Packet[off+2:end:end]) {
				return
			}
			off = end
		}
	}
}
