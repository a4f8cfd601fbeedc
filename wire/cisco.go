package wire

// vendorCisco is Cisco's number in Vendor-Specific. The attributes of RFC 6218
// are in its space.
const (
	vendorCisco = 9

	ciscoMACRandomizer             = 17 // RFC 6218 §3.2
	ciscoMessageAuthenticationCode = 18 // RFC 6218 §3.3
)

// signs11 reports whether a vendor's attribute signs packets. RADIUS/1.1 leaves
// that to TLS: such an attribute is neither sent nor read (RFC 9765 §5.3).
func signs11(vendor uint32, number uint16) bool {
	return vendor == vendorCisco && (number == ciscoMACRandomizer || number == ciscoMessageAuthenticationCode)
}
