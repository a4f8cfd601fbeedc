package packets

import (
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
)

func TestRequestContents(t *testing.T) {
	m := NewMaker(secret)
	buf := make([]byte, MaxLength)
	p, _ := radius.Parse(m.Write(buf, PAP, 1), secret)
	if got := rfc2865.UserPassword_GetString(p); got != Password {
		t.Errorf("the hidden password reads %q, want %q", got, Password)
	}
	p, _ = radius.Parse(m.Write(buf, EAP, 1), secret)
	messages := 0
	for _, a := range p.Attributes {
		if a.Type == rfc2869.EAPMessage_Type {
			messages++
			if len(a.Attribute) != 253 {
				t.Errorf("an EAP-Message has %d octets, want 253", len(a.Attribute))
			}
		}
	}
	if messages != 4 || rfc2865.State_Get(p) == nil {
		t.Errorf("%d EAP-Message attributes and State %x, want 4 and one", messages, rfc2865.State_Get(p))
	}
	p, _ = radius.Parse(m.Write(buf, Acct, 1), secret)
	if len(p.Attributes) < 12 || rfc2866.AcctSessionID_GetString(p) == "" {
		t.Errorf("accounting has %d attributes, want at least 12 with Acct-Session-Id", len(p.Attributes))
	}
}
