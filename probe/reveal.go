package probe

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"

	"layeh.com/radius/dictionary"
)

// reveal returns a hidden value in clear. secret is the connection's shared secret and authenticator the
// Request Authenticator that the value was hidden with: the request's own, for a request and its reply.
func reveal(a attribute, value, secret []byte, authenticator [16]byte) ([]byte, error) {
	switch a.hidden {
	case likePassword:
		// RFC 2865 §5.2
		if len(value) == 0 || len(value)%16 != 0 {
			return nil, fmt.Errorf("%d octets, want a multiple of 16", len(value))
		}
		clear := unchain(value, secret, authenticator[:])
		if a.form == dictionary.AttributeOctets { // MS-CHAP-MPPE-Keys: 24 octets of keys and 8 of padding (RFC 2548 §2.4.1)
			return clear[:min(len(clear), 24)], nil
		}
		return bytes.TrimRight(clear, "\x00"), nil
	case withSalt:
		// RFC 2868 §3.5: two octets of salt, then the length of the clear text hidden together with it
		if len(value) < 18 || len(value)%16 != 2 {
			return nil, fmt.Errorf("%d octets, want 2 of salt and a multiple of 16", len(value))
		}
		clear := unchain(value[2:], secret, authenticator[:], value[:2])
		if int(clear[0]) > len(clear)-1 {
			return nil, errors.New("its length octet points past its end: another secret hid it")
		}
		return clear[1 : 1+clear[0]], nil
	case likeAscend:
		pad := md5.Sum(append(authenticator[:], secret...))
		clear := make([]byte, min(len(value), len(pad)))
		for i := range clear {
			clear[i] = value[i] ^ pad[i]
		}
		return bytes.TrimRight(clear, "\x00"), nil
	}
	return value, nil
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

// The forms of hidden values.
const (
	asText, asOctets     = dictionary.AttributeString, dictionary.AttributeOctets
	asInteger, asAddress = dictionary.AttributeInteger, dictionary.AttributeIPAddr
)

// hiddenAttributes are the attributes that are hidden with the secret, as FreeRADIUS's dictionaries
// flag them.
var hiddenAttributes = [...]attribute{
	{0, "2", asText, likePassword, false, "User-Password"},
	{0, "69", asText, withSalt, true, "Tunnel-Password"},
	{0, "214", asText, likeAscend, false, "X-Ascend-Send-Secret"},
	{0, "215", asText, likeAscend, false, "X-Ascend-Receive-Secret"},
	{161, "11", asText, withSalt, false, "Motorola-WiMAX-MIP-KEY"},
	{311, "12", asOctets, likePassword, false, "MS-CHAP-MPPE-Keys"},
	{311, "16", asOctets, withSalt, false, "MS-MPPE-Send-Key"},
	{311, "17", asOctets, withSalt, false, "MS-MPPE-Recv-Key"},
	{529, "214", asText, likeAscend, false, "Ascend-Send-Secret"},
	{529, "215", asText, likeAscend, false, "Ascend-Receive-Secret"},
	{831, "116", asOctets, withSalt, false, "ALU-AAA-Key-0"},
	{831, "117", asOctets, withSalt, false, "ALU-AAA-Key-1"},
	{831, "118", asOctets, withSalt, false, "ALU-AAA-Key-2"},
	{831, "119", asOctets, withSalt, false, "ALU-AAA-Key-3"},
	{2356, "19", asText, withSalt, true, "LCS-IKEv2-Local-Password"},
	{2356, "20", asText, withSalt, true, "LCS-IKEv2-Remote-Password"},
	{2356, "33", asText, withSalt, true, "IKEv2-PPK"},
	{4846, "214", asText, likeAscend, false, "Lucent-Send-Secret"},
	{4846, "215", asText, likeAscend, false, "Lucent-Receive-Secret"},
	{4874, "58", asInteger, withSalt, false, "ERX-LI-Action"},
	{4874, "59", asOctets, withSalt, false, "ERX-Med-Dev-Handle"},
	{4874, "60", asAddress, withSalt, false, "ERX-Med-Ip-Address"},
	{4874, "61", asInteger, withSalt, false, "ERX-Med-Port-Number"},
	{5535, "58", asText, withSalt, false, "3GPP2-MN-HA-Shared-Key"},
	{6527, "122", asInteger, withSalt, false, "Alc-LI-Action"},
	{6527, "123", asText, withSalt, false, "Alc-LI-Destination"},
	{6527, "124", asInteger, withSalt, false, "Alc-LI-FC"},
	{6527, "125", asInteger, withSalt, false, "Alc-LI-Direction"},
	{6527, "138", asInteger, withSalt, false, "Alc-LI-Intercept-Id"},
	{6527, "139", asInteger, withSalt, false, "Alc-LI-Session-Id"},
	{6527, "142", asText, withSalt, false, "Alc-APN-Password"},
	{8742, "44", asOctets, withSalt, false, "Alphion-MPSK-Passphrase"},
	{14823, "44", asOctets, withSalt, false, "Aruba-MPSK-Passphrase"},
	{14823, "66", asText, likePassword, false, "Aruba-MPSK-Lookup-Info"},
	{14823, "72", asText, withSalt, false, "Aruba-DPP-Passphrase"},
	{24757, "5", asOctets, withSalt, false, "WiMAX-MSK"},
	{24757, "10", asOctets, withSalt, false, "WiMAX-MN-hHA-MIP4-Key"},
	{24757, "12", asOctets, withSalt, false, "WiMAX-MN-hHA-MIP6-Key"},
	{24757, "14", asOctets, withSalt, false, "WiMAX-FA-RK-Key"},
	{24757, "15", asOctets, withSalt, false, "WiMAX-HA-RK-Key"},
	{24757, "19", asOctets, withSalt, false, "WiMAX-RRQ-MN-HA-Key"},
	{24757, "40", asOctets, withSalt, false, "WiMAX-DHCP-RK"},
	{24757, "66", asOctets, withSalt, false, "WiMAX-vHA-MIP4-Key"},
	{24757, "67", asOctets, withSalt, false, "WiMAX-vHA-RK-Key"},
	{24757, "70", asOctets, withSalt, false, "WiMAX-MN-vHA-MIP6-Key"},
	{24757, "75", asOctets, withSalt, false, "WiMAX-vDHCP-RK"},
	{24757, "86.3", asText, withSalt, false, "WiMAX-hDHCP-DHCP-RK"},
	{24757, "87.3", asText, withSalt, false, "WiMAX-vDHCP-DHCP-RK"},
	{24757, "131", asOctets, withSalt, false, "WiMAX-PMIP6-RK-Key"},
	{26928, "3", asOctets, withSalt, false, "Extreme-Libsip-Patron-Info"},
	{41112, "5.2", asText, withSalt, false, "UBNT-Tunnel-Password"},
	{41112, "5.3", asText, withSalt, false, "UBNT-Tunnel-Password-Keyid"},
	{41112, "6", asText, withSalt, false, "UBNT-Station-Keyid"},
	{50058, "140", asInteger, withSalt, false, "RtBrick-LI-Action"},
	{50058, "141", asInteger, withSalt, false, "RtBrick-LI-Identifier"},
	{50058, "142", asInteger, withSalt, false, "RtBrick-LI-Direction"},
	{50058, "143", asText, withSalt, false, "RtBrick-LI-MED-Instance"},
	{50058, "144", asAddress, withSalt, false, "RtBrick-LI-MED-IP"},
	{50058, "145", asInteger, withSalt, false, "RtBrick-LI-MED-Port"},
}
