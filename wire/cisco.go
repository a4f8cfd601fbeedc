package wire

// vendorCisco is Cisco's number in Vendor-Specific. RFC 6218 has its attributes
// there, too.
const (
	vendorCisco = 9

	ciscoMACRandomizer             = 17 // RFC 6218 §3.2
	ciscoMessageAuthenticationCode = 18 // RFC 6218 §3.3
)

// signs11 reports whether a vendor's attribute signs packets, which RADIUS/1.1
// leaves to TLS: such a one is neither sent nor looked at (RFC 9765 §5.3).
func signs11(vendor uint32, number uint16) bool {
	return vendor == vendorCisco && (number == ciscoMACRandomizer || number == ciscoMessageAuthenticationCode)
}
