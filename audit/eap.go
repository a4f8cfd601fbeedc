package audit

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

// eapText returns the text of the header of an EAP packet (RFC 3748 §4), without its data:
// some methods send a password in clear.
func eapText(value []byte, continues bool) string {
	if continues || len(value) < 4 {
		return fmt.Sprintf("(continued), %d octets", len(value))
	}
	names := []string{1: "Request", 2: "Response", 3: "Success", 4: "Failure"}
	name := "code " + strconv.Itoa(int(value[0]))
	if int(value[0]) < len(names) && value[0] > 0 {
		name = names[value[0]]
	}
	text := fmt.Sprintf("EAP-%s identifier %d, %d octets", name, value[1], binary.BigEndian.Uint16(value[2:]))
	if (value[0] == 1 || value[0] == 2) && len(value) > 4 {
		text += ", " + eapMethod(value[4])
	}
	return text
}

// eapMethod names a method (IANA's registry of EAP method types).
func eapMethod(t byte) string {
	switch t {
	case 1:
		return "Identity"
	case 2:
		return "Notification"
	case 3:
		return "Nak"
	case 4:
		return "MD5-Challenge"
	case 6:
		return "GTC"
	case 13:
		return "TLS"
	case 18:
		return "SIM"
	case 21:
		return "TTLS"
	case 23:
		return "AKA"
	case 25:
		return "PEAP"
	case 26:
		return "MSCHAPv2"
	case 43:
		return "FAST"
	case 50:
		return "AKA'"
	case 52:
		return "PWD"
	case 55:
		return "TEAP"
	}
	return "method " + strconv.Itoa(int(t))
}
