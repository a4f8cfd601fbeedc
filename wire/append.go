package wire

import "encoding/binary"

// maxValue is the most octets an attribute's value can have (RFC 2865 §5).
const maxValue = 253

// appendTo copies b to dst[n:] and returns the new end. The error is ErrTooLong when b
// does not fit. Attributes are never cut (RFC 2865 §3 gives the limit).
func appendTo(dst []byte, n int, b []byte) (int, error) {
	if len(b) > len(dst)-n {
		return 0, ErrTooLong
	}
	return n + copy(dst[n:], b), nil
}

// appendAttribute writes an attribute of type t to dst[n:] and returns the new end;
// value has at most 253 octets. Error: ErrTooLong.
func appendAttribute(dst []byte, n int, t byte, value []byte) (int, error) {
	if 2+len(value) > len(dst)-n {
		return 0, ErrTooLong
	}
	dst[n], dst[n+1] = t, byte(2+len(value))
	return n + 2 + copy(dst[n+2:], value), nil
}

// appendText writes text to dst[n:] as attributes of type t, as many as it needs, and
// returns the new end. Error: ErrTooLong.
func appendText(dst []byte, n int, t byte, text string) (int, error) {
	for len(text) > 0 {
		part := text[:min(len(text), maxValue)]
		if 2+len(part) > len(dst)-n {
			return 0, ErrTooLong
		}
		dst[n], dst[n+1] = t, byte(2+len(part))
		n += 2 + copy(dst[n+2:], part)
		text = text[len(part):]
	}
	return n, nil
}

// putMessageAuthenticator begins the attributes with a Message-Authenticator, whose
// value is written when the packet is signed. In the first place it protects best against
// a chosen prefix (draft-ietf-radext-deprecating-radius §5.3.2).
func putMessageAuthenticator(dst []byte) (n int) {
	dst[MinLength], dst[MinLength+1] = typeMessageAuthenticator, macLength
	return MinLength + macLength
}

// macOffset returns the offset of the Message-Authenticator that putMessageAuthenticator
// has written, or 0 without one.
func macOffset(withMA bool) int {
	if withMA {
		return MinLength
	}
	return 0
}

// putLength writes the Length field of the packet that ends at n.
func putLength(dst []byte, n int) []byte {
	binary.BigEndian.PutUint16(dst[2:4], uint16(n))
	return dst[:n]
}
