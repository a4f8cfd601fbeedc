package rules

// Protected returns why no rule may touch the attribute with a number, of a vendor or, when
// vendor is 0, of none; "" for one that it may.
func Protected(vendor uint32, number uint16) string { return protected(vendor, number, 0) }

// protected returns why no rule may touch an attribute, "" for one that it may.
//
// Rule: AR4.
func protected(vendor uint32, number uint16, sub byte) string {
	if vendor == vendorMicrosoft && protectedMicrosoft(number) {
		return "its value answers, or is part of, an MS-CHAP challenge (RFC 2548 §2)"
	}
	if vendor != 0 {
		return ""
	}
	switch number {
	case 3, 60:
		return "its value answers, or is, a CHAP challenge (RFC 2865 §5.3)"
	case 24:
		return "State is between server and client (RFC 2865 §5.24)"
	case 25:
		return "Class is between server and client (RFC 2865 §5.25)"
	case 33:
		return "Proxy-State is the proxies' own (RFC 2865 §5.33)"
	case 70:
		return "its value answers an ARAP challenge (RFC 2869 §5.4)"
	case 79:
		return "an EAP packet is between server and user (RFC 3579 §3.1)"
	case 80:
		return "the gateway computes the Message-Authenticator (RFC 3579 §3.2)"
	case typeExtended1:
		if sub == 3 || sub == 4 {
			return "it is for one hop only (RFC 7930 §4)"
		}
	}
	return ""
}

// protectedMicrosoft reports whether an attribute of Microsoft's belongs to an exchange of
// MS-CHAP or ARAP.
func protectedMicrosoft(number uint16) bool {
	switch number {
	case 1, 2, 3, 4, 5, 6, 10, 11, 19, 20, 25, 26, 27:
		return true
	}
	return false
}

// isKey reports whether an attribute is one of the MPPE keys (RFC 2548 §2.4).
func isKey(vendor uint32, number uint16) bool {
	return vendor == vendorMicrosoft && (number == 12 || number == 16 || number == 17)
}

// neverRemoved reports whether an attribute without a vendor stays whatever a rule says;
// sub is its extended type.
func neverRemoved(typ, sub byte) bool { return protected(0, uint16(typ), sub) != "" }
