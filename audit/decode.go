package audit

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"radsec-gw/wire"
)

// text prints what a tap has seen, one packet with its attributes or one end.
func (s *seen) text() string {
	var b strings.Builder
	e := &s.event
	fmt.Fprintf(&b, "%s %s %s ", s.at.Format("15:04:05.000"), e.Client, e.Peer)
	if !s.ended {
		fmt.Fprintf(&b, "-> %s\n", packetText(s.request, s.v11))
		return b.String()
	}
	fmt.Fprintf(&b, "<- %s", e.Fate)
	if s.request != nil {
		fmt.Fprintf(&b, ", %s %s", wire.CodeName(wire.Code(s.request[0])), whichText(s.request, s.v11))
	}
	if e.Server != "" {
		fmt.Fprintf(&b, ", server %s %s", e.Server, e.Port)
	}
	fmt.Fprintf(&b, ", %.1f ms", float64(e.Duration.Microseconds())/1000)
	if e.Tries > 1 {
		fmt.Fprintf(&b, ", sent %d times", e.Tries)
	}
	if len(e.Reply) > 0 {
		fmt.Fprintf(&b, ": %s", packetText(e.Reply, s.v11))
	}
	b.WriteByte('\n')
	return b.String()
}

// whichText prints what a packet is told from others by: its Identifier, or in
// RADIUS/1.1 its Token (RFC 9765 §4.2.1).
func whichText(p []byte, v11 bool) string {
	if v11 {
		return fmt.Sprintf("Token %d", binary.BigEndian.Uint32(p[4:]))
	}
	return fmt.Sprintf("identifier %d", p[1])
}

// packetText prints a packet as a line and one for each attribute.
func packetText(p []byte, v11 bool) string {
	var v wire.View
	if err := v.Parse(p); err != nil {
		return fmt.Sprintf("no packet: %v", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s, %d octets", wire.CodeName(v.Code()), whichText(p, v11), len(p))
	eap := false
	for _, a := range wire.Reveal(&v, nil, nil) { // without a secret: what is hidden stays sealed
		text := valueText(&a, eap)
		if v11 && a.Type == typeUserPassword {
			text = "[hidden]" // not padded there: its length is the password's
		}
		fmt.Fprintf(&b, "\n    %s = %s", a.Name, text)
		eap = eap || a.Type == typeEAPMessage && a.Vendor == 0
	}
	return b.String()
}

// Attribute types that are looked at here.
const (
	typeUserPassword  = 2
	typeCHAPPassword  = 3
	typeVendor        = 26
	typeARAPPassword  = 70
	typeConfigToken   = 78 // Configuration-Token (RFC 2869 §5.18)
	typeEAPMessage    = 79
	typeDigest        = 103 // Digest-Response (RFC 5090 §3.1)
	typeExtended      = 241
	longestValue      = 64 // octets printed of a value without a form
	vendorOfMicrosoft = 311
)

// masked says whether a value may not be shown: it is hidden under a secret, is
// the answer to a challenge and lets a password be guessed, or is a vendor's and
// nobody knows what it holds: pre-shared keys travel in the clear there.
func masked(a *wire.Attribute) bool {
	if a.Hidden {
		return true
	}
	if a.Vendor != 0 {
		return !(a.Vendor == vendorOfMicrosoft && (a.Number == 2 || a.Number == 7 || a.Number == 8 || a.Number == 10)) // error, policy, types, domain
	}
	switch a.Type {
	case typeCHAPPassword, typeARAPPassword, typeConfigToken, typeDigest, typeVendor:
		return true
	}
	return a.Type >= typeExtended && a.Type < typeExtended+6 && a.Number == typeVendor // Extended-Vendor-Specific (RFC 6929 §2.4)
}

// valueText prints a value in the form of its type. eap tells that an
// EAP-Message came before.
func valueText(a *wire.Attribute, eap bool) string {
	switch {
	case masked(a):
		return fmt.Sprintf("[hidden], %d octets", len(a.Value))
	case a.Vendor != 0 || a.Type >= typeExtended && a.Type < typeExtended+6:
		return hexText(a.Value)
	case a.Type == typeEAPMessage:
		return eapText(a.Value, eap)
	}
	switch formOf(a.Type) {
	case formText:
		return strconv.Quote(string(a.Value))
	case formInteger:
		if len(a.Value) == 4 {
			return strconv.FormatUint(uint64(binary.BigEndian.Uint32(a.Value)), 10)
		}
	case formTime:
		if len(a.Value) == 4 {
			return time.Unix(int64(binary.BigEndian.Uint32(a.Value)), 0).UTC().Format(time.RFC3339)
		}
	case formAddress:
		if ip, ok := netip.AddrFromSlice(a.Value); ok {
			return ip.String()
		}
	}
	return hexText(a.Value)
}

func hexText(value []byte) string {
	cut := value[:min(len(value), longestValue)]
	text := "0x" + hex.EncodeToString(cut)
	if len(cut) < len(value) {
		text += fmt.Sprintf("… (%d octets)", len(value))
	}
	return text
}

// eapText prints the head of an EAP packet (RFC 3748 §4) and nothing of what
// is in it: some methods carry a password in the clear.
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

// form is how a value is written for people.
type form uint8

const (
	formOctets form = iota
	formText
	formInteger
	formTime
	formAddress
)

// Types by their form (RFC 2865 §5, RFC 2866 §5, RFC 2869 §5, RFC 3162, RFC 5176, RFC 5580).
var (
	textTypes    = []byte{1, 11, 18, 19, 20, 22, 30, 31, 32, 34, 35, 44, 50, 63, 77, 87, 88, 100, 124, 126}
	integerTypes = []byte{5, 6, 7, 10, 12, 13, 15, 16, 27, 28, 29, 37, 38, 40, 41, 42, 43, 45, 46, 47, 48, 49, 51, 52, 53, 61, 62, 72, 73, 75, 76, 85, 101}
	addressTypes = []byte{4, 8, 9, 14, 95, 98, 168}
)

func formOf(t byte) form {
	switch {
	case bytes.IndexByte(textTypes, t) >= 0:
		return formText
	case bytes.IndexByte(integerTypes, t) >= 0:
		return formInteger
	case bytes.IndexByte(addressTypes, t) >= 0:
		return formAddress
	case t == 55:
		return formTime
	}
	return formOctets
}
