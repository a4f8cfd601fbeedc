package wire

import (
	"bytes"
	"testing"
	"time"

	"layeh.com/radius"
)

// An attribute that ends before its length octet has the length -1.
// Rules: P5
func TestAttributeWithoutLength(t *testing.T) {
	packet := append(assemble(1, 1, nil, pair{1, []byte("u")}), 44)
	packet[3]++
	err := new(View).Parse(packet)
	want := AttributeError{Offset: 23, Type: 44, Length: -1, Available: 1}
	if got, ok := err.(*AttributeError); !ok || *got != want {
		t.Errorf("expected %+v, got %+v", want, err)
	}
}

// An EAP packet has its Identifier in the second octet, if it has one.
func TestEAPIdentifierOfShortPackets(t *testing.T) {
	for _, c := range []struct {
		eap  []byte
		want byte
		ok   bool
	}{{nil, 0, false}, {[]byte{2}, 0, false}, {[]byte{2, 7}, 7, true}, {[]byte{2, 7, 0}, 7, true}} {
		if got, ok := parsed(t, assemble(1, 1, nil, pair{79, c.eap})).EAPIdentifier(); got != c.want || ok != c.ok {
			t.Errorf("EAP packet % x: expected %d, %t, got %d, %t", c.eap, c.want, c.ok, got, ok)
		}
	}
}

// Each of these depends on its own attribute, and on no other.
func TestHasIsOfOneAttribute(t *testing.T) {
	has := map[byte]func(*View) bool{
		2: (*View).HasUserPassword, 24: (*View).HasState, 33: (*View).HasProxyState, 79: (*View).HasEAP, 80: (*View).HasMessageAuthenticator,
	}
	for typ := byte(1); typ != 0; typ++ {
		v := parsed(t, assemble(1, 1, nil, pair{typ, []byte("x")}))
		for of, f := range has {
			if f(v) != (of == typ) {
				t.Errorf("packet with attribute %d: expected to have attribute %d %t", typ, of, of == typ)
			}
		}
	}
}

// An age is to the second, of both signs.
// Rules: P91
func TestEventAge(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	for seconds, want := range map[byte]time.Duration{0x3f: time.Second, 0x40: 0, 0x41: -time.Second} {
		v := parsed(t, assemble(43, 1, nil, pair{55, []byte{0, 0x0f, 0x42, seconds}}))
		if age, ok := v.EventAge(now); !ok || age != want {
			t.Errorf("expected the age %v, got %v, %t", want, age, ok)
		}
	}
}

// Rules: P10, P13
func TestViewFindsFirstOfEach(t *testing.T) {
	b := assemble(43, 77, authenticator(3),
		pair{1, []byte("a\x00b")}, pair{1, []byte("second")},
		pair{126, []byte("1example.org")}, pair{24, []byte{}}, pair{31, []byte("00-11")},
		pair{32, []byte("nas")}, pair{4, []byte{192, 0, 2, 1}}, pair{101, []byte{0, 0, 1, 0xf6}},
		pair{55, []byte{0x65, 0, 0, 0}}, pair{79, []byte{2, 9, 0}}, pair{79, []byte{7, 7}},
		pair{33, []byte("p")}, pair{2, []byte("x")}, pair{80, make([]byte, 16)})
	v := parsed(t, b)
	for what, c := range map[string]struct{ want, got []byte }{
		"User-Name":          {[]byte("a\x00b"), v.UserName()},
		"Operator-Name":      {[]byte("1example.org"), v.OperatorName()},
		"Calling-Station-Id": {[]byte("00-11"), v.CallingStationID()},
		"NAS-Identifier":     {[]byte("nas"), v.NASIdentifier()},
		"NAS-IP-Address":     {[]byte{192, 0, 2, 1}, v.NASIPAddress()},
		"Authenticator":      {authenticator(3), v.Authenticator()[:]},
		"Get(32)":            {[]byte("nas"), v.Get(32)},
	} {
		if !bytes.Equal(c.want, c.got) {
			t.Errorf("%s: expected % x, got % x", what, c.want, c.got)
		}
	}
	if s := v.State(); s == nil || len(s) != 0 || !v.HasState() {
		t.Errorf("an empty State is there: expected an empty value, got %v", s)
	}
	if v.Code() != radius.CodeCoARequest || v.Kind() != KindCoA || v.Identifier() != 77 {
		t.Errorf("expected a CoA-Request with Identifier 77, got %v %v %d", v.Code(), v.Kind(), v.Identifier())
	}
	if v.ErrorCause() != 502 {
		t.Errorf("expected Error-Cause 502, got %d", v.ErrorCause())
	}
	if at, ok := v.EventTimestamp(); at != 0x65000000 || !ok {
		t.Errorf("expected Event-Timestamp 0x65000000, got %#x, %v", at, ok)
	}
	if id, ok := v.EAPIdentifier(); id != 9 || !ok {
		t.Errorf("expected EAP Identifier 9, got %d, %v", id, ok)
	}
	if !v.HasEAP() || !v.HasMessageAuthenticator() || !v.HasProxyState() || !v.HasUserPassword() {
		t.Error("an attribute that is there is not reported")
	}

	copied := *v
	copied.Packet = bytes.Clone(b)
	clear(b[20:])
	if string(copied.UserName()) != "a\x00b" {
		t.Errorf("a view of a copy reads %q", copied.UserName())
	}
}

// Rules: P8, P9
func TestViewAbsentAndInvalid(t *testing.T) {
	v := parsed(t, assemble(1, 1, nil))
	if v.UserName() != nil || v.State() != nil || v.Get(1) != nil || v.ErrorCause() != 0 ||
		v.HasEAP() || v.HasState() || v.HasMessageAuthenticator() || v.HasProxyState() || v.HasUserPassword() {
		t.Error("an empty packet is said to hold something")
	}
	if _, ok := v.EventTimestamp(); ok {
		t.Error("an empty packet has an Event-Timestamp")
	}
	if _, ok := v.EAPIdentifier(); ok {
		t.Error("an empty packet has an EAP Identifier")
	}
	v = parsed(t, assemble(1, 1, nil, pair{79, nil}, pair{55, []byte{1}}, pair{101, []byte{1, 2, 3, 4, 5}}))
	if _, ok := v.EAPIdentifier(); ok || !v.HasEAP() {
		t.Error("EAP-Start: expected an EAP-Message without an Identifier")
	}
	if _, ok := v.EventTimestamp(); ok || v.ErrorCause() != 0 {
		t.Error("values of the wrong size are accepted")
	}
	// A view that is used again holds nothing of the previous packet.
	if err := v.Parse(assemble(2, 2, nil)); err != nil || v.HasEAP() {
		t.Errorf("a view used again still sees the old packet (%v)", err)
	}
}

// draft-dekok-protocol-error-00 §5, §6: unknown attributes are ignored.
// Rules: P96, P98
func TestOriginalCode(t *testing.T) {
	v := parsed(t, assemble(52, 1, nil, pair{250, []byte("?")}, pair{241, []byte{9, 1}}, pair{241, []byte{4, 0, 0, 0, 1}}, pair{101, []byte{0, 0, 1, 0xf9}}))
	if c, ok := v.OriginalCode(); c != 1 || !ok || v.ErrorCause() != 505 {
		t.Errorf("expected Original-Packet-Code 1 and Error-Cause 505, got %d, %v, %d", c, ok, v.ErrorCause())
	}
	for _, value := range [][]byte{nil, {4}, {4, 0, 0, 1}, {5, 0, 0, 0, 1}} {
		if _, ok := parsed(t, assemble(52, 1, nil, pair{241, value})).OriginalCode(); ok {
			t.Errorf("241 with value % x is taken for an Original-Packet-Code", value)
		}
	}
}
