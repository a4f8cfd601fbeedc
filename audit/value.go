package audit

import (
	"encoding/hex"
	"fmt"

	"radsec-gw/wire"
)

// Attribute types that are printed in a special way.
const (
	typeUserPassword = 2
	typeVendor       = 26
	typeEAPMessage   = 79

	longestValue = 64 // octets printed of a value without a text
)

// masked reports whether a value must not be shown: the dictionary says so, or does not know
// the attribute, which may be a key in clear.
func masked(a *wire.Attribute) bool {
	entry := a.Entry()
	return a.Hidden || entry == nil || entry.Secret
}

// valueText returns the text of a value, as its type requires. eap says that an EAP-Message
// precedes it in the packet.
func valueText(a *wire.Attribute, eap bool) string {
	if masked(a) {
		return fmt.Sprintf("[hidden], %d octets", len(a.Value))
	}
	if a.Type == typeEAPMessage {
		return eapText(a.Value, eap)
	}
	if entry := a.Entry(); entry != nil && !entry.Tagged {
		if text, ok := entry.Text(a.Value); ok {
			return text
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
