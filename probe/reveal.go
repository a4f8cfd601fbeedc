package probe

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"

	"radsec-gw/wire/dict"
)

// reveal returns a hidden value in clear. secret is the connection's shared secret and authenticator the
// Request Authenticator that the value was hidden with: the request's own, for a request and its reply.
func reveal(a *dict.Attribute, value, secret []byte, authenticator [16]byte) ([]byte, error) {
	switch a.Hidden {
	case dict.UserPassword: // RFC 2865 §5.2
		if len(value) == 0 || len(value)%16 != 0 {
			return nil, fmt.Errorf("expected a multiple of 16 octets, got %d", len(value))
		}
		clear := unchain(value, secret, authenticator[:])
		if a.Size > 0 { // MS-CHAP-MPPE-Keys: 24 octets of keys and 8 of padding (RFC 2548 §2.4.1)
			return clear[:min(len(clear), a.Size)], nil
		}
		return bytes.TrimRight(clear, "\x00"), nil
	case dict.Salted:
		return unsalt(value, secret, authenticator)
	case dict.LEAP:
		n := len(dict.LEAPPrefix)
		key, err := unsalt(value[n:], secret, authenticator)
		return append(value[:n:n], key...), err
	case dict.Ascend:
		pad := md5.Sum(append(authenticator[:], secret...))
		clear := make([]byte, min(len(value), len(pad)))
		for i := range clear {
			clear[i] = value[i] ^ pad[i]
		}
		return bytes.TrimRight(clear, "\x00"), nil
	}
	return value, nil
}

// unsalt undoes RFC 2868 §3.5: two octets of salt, then the length of the clear text, hidden
// together with it.
func unsalt(value, secret []byte, authenticator [16]byte) ([]byte, error) {
	if len(value) < 18 || len(value)%16 != 2 {
		return nil, fmt.Errorf("expected 2 octets of salt and a multiple of 16, got %d", len(value))
	}
	clear := unchain(value[2:], secret, authenticator[:], value[:2])
	if int(clear[0]) > len(clear)-1 {
		return nil, errors.New("its length octet points past its end: it was hidden with another secret")
	}
	return clear[1 : 1+clear[0]], nil
}

// unchain undoes the chained MD5 of RFC 2865 §5.2: each block of 16 octets is XORed with
// MD5(secret + the hidden block before it), the first with MD5(secret + start).
func unchain(hidden, secret []byte, start ...[]byte) []byte {
	clear := make([]byte, 0, len(hidden))
	previous := bytes.Join(start, nil)
	for ; len(hidden) >= 16; hidden = hidden[16:] {
		pad := md5.Sum(append(append([]byte(nil), secret...), previous...))
		for i, p := range pad {
			clear = append(clear, hidden[i]^p)
		}
		previous = hidden[:16]
	}
	return clear
}
