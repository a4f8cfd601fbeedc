package wire

import "bytes"

// vendorCisco is Cisco's number in Vendor-Specific. RFC 6218 has its attributes
// there, too.
const (
	vendorCisco = 9

	ciscoMACRandomizer             = 17 // RFC 6218 §3.2
	ciscoMessageAuthenticationCode = 18 // RFC 6218 §3.3
)

// leapKey begins the Cisco-AVPair that carries the session key of LEAP. What
// follows is hidden as a salted value: two octets of salt, then blocks that hold
// a length octet and the key; for its 16 octets 34 in all. It is not published.
// FreeRADIUS (rlm_eap_leap, rlm_eap's post-proxy), Microsoft's proxy and hostapd
// (radius_msg_get_cisco_keys) agree on it. In RADIUS/1.1, where nothing is hidden,
// it is this text and the key in clear behind it.
const leapKey = "leap:session-key="

// isLEAPKey reports whether a Cisco-AVPair carries the session key of LEAP.
// FreeRADIUS ignores the case of the text.
func isLEAPKey(value []byte) bool {
	return len(value) >= len(leapKey) && bytes.EqualFold(value[:len(leapKey)], []byte(leapKey))
}

// signs11 reports whether a vendor's attribute signs packets, which RADIUS/1.1
// leaves to TLS: such a one is neither sent nor looked at (RFC 9765 §5.3).
func signs11(vendor uint32, number uint16) bool {
	return vendor == vendorCisco && (number == ciscoMACRandomizer || number == ciscoMessageAuthenticationCode)
}
