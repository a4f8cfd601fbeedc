package wire

import (
	"bytes"
	"testing"

	"layeh.com/radius"
)

// At the last hop there is a Message-Authenticator where a client of RADIUS/1.0 sent
// one, and always for one of RADIUS/1.1, whatever it sent; an extended attribute
// without an extended type is copied.
// Rules: P89, P125, P129
func TestLastHopOfBothVersions(t *testing.T) {
	mac := pair{80, make([]byte, 16)}
	list := []pair{{241, nil}, {8, []byte{'x'}}, {241, []byte{9}}, mac, {126, []byte("1x")}, {241, []byte{8}}, {44, []byte("s")}}
	want := append(without(list, 80, 126, 44)[:3:3], pair{44, []byte("s")}, pair{32, []byte("ap")})
	for _, code := range []Code{radius.CodeCoARequest, radius.CodeDisconnectRequest} {
		for _, v11 := range []bool{false, true} {
			for _, sent := range []bool{false, true} {
				list := list
				if !sent {
					list = without(list, 80)
				}
				v := parsed(t, assemble(code, 7, nil, list...))
				if v11 {
					v = parsed11(t, assemble11(code, 7, list...))
				}
				d, dst := NewDigests(), make([]byte, MaxLength)
				n, err := d.WriteRequestWith(dst, v, radSecSecret(), serverSecret(t, key11), 7, &RequestOptions{NAS: &NAS{Identifier: "ap"}})
				if err != nil {
					t.Fatal(err)
				}
				d.Run()
				oracleChecks(t, dst[:n], nil, key11)
				got := pairs(dst[:n])
				samePairs(t, "what the NAS gets", want, without(got, 80))
				if has := len(only(got, 80)) == 1; has != (sent || v11) {
					t.Errorf("code %d, RADIUS/1.1 %t, sent %t: has a Message-Authenticator: %t", code, v11, sent, has)
				}
			}
		}
	}
	if got := parsed(t, assemble(43, 7, nil, pair{241, []byte{8}})).OperatorNASIdentifier(); got == nil {
		t.Error("an empty Operator-NAS-Identifier was not found")
	}
}

// lastHops are the attributes of requests that go to a NAS, and what it gets.
var lastHops = []struct {
	name   string
	nas    NAS
	attrs  string
	want   string
	tooBig bool
}{
	{"nothing in it", NAS{Identifier: "ap"}, "", "\x20\x04ap", false},
	{"IPv4", NAS{Address: []byte{1, 2, 3, 4}}, "\x01\x03u", "\x01\x03u\x04\x06\x01\x02\x03\x04", false},
	{"IPv6", NAS{Address: bytes.Repeat([]byte{6}, 16)}, "", "\x5f\x12" + string(bytes.Repeat([]byte{6}, 16)), false},
	{"nothing to add", NAS{}, "\x01\x03u", "\x01\x03u", false},
	{"NAS-Identifier is there", NAS{Identifier: "ap"}, "\x20\x05own\x7e\x041a", "\x20\x05own", false},
	{"NAS-IP-Address is there", NAS{Identifier: "ap"}, "\x7e\x041a\x04\x06\x01\x01\x01\x01", "\x04\x06\x01\x01\x01\x01", false},
	{"NAS-IPv6-Address is there", NAS{Identifier: "ap"}, "\x5f\x02", "\x5f\x02", false},
	{"both names", NAS{Identifier: "ap"}, "\x01\x03u\x7e\x041a\xf1\x05\x08id\x2c\x03s\x7e\x02", "\x01\x03u\x2c\x03s\x20\x04ap", false},
	{"other extended attributes", NAS{Identifier: "ap"}, "\xf1\x02\xf1\x03\x08\xf1\x04\x09x\xf2\x04\x08x", "\xf1\x02\xf1\x04\x09x\xf2\x04\x08x\x20\x04ap", false},
	{"no more fits", NAS{Identifier: "ap"}, string(bytes.Repeat(append([]byte{200, 251}, make([]byte, 249)...), 16)) + "\xc8\x3b" + string(make([]byte, 57)), "", true},
}

// A NAS gets neither Operator-Name nor Operator-NAS-Identifier, everything else
// unchanged, and one attribute that identifies it, added only when there is none. The
// client's packet is not changed.
// Rules: P15, P89, P90
func TestLastHop(t *testing.T) {
	const key = "server-secret-of-16+"
	for _, x := range lastHops {
		for _, code := range []radius.Code{radius.CodeCoARequest, radius.CodeDisconnectRequest} {
			packet := append(make([]byte, MinLength), x.attrs...)
			packet[0] = byte(code)
			putLength(packet, len(packet))
			before := bytes.Clone(packet)
			for _, v11 := range []bool{false, true} {
				sent, err := toNAS(t, packet, v11, &x.nas, key)
				if x.tooBig && err != ErrTooLong || !x.tooBig && err != nil {
					t.Errorf("%s: expected ErrTooLong %t, got %v", x.name, x.tooBig, err)
				}
				if err != nil {
					continue
				}
				attributes := sent[MinLength:]
				if v11 { // RFC 9765 §5.2 leaves it to the gateway
					if attributes[0] != typeMessageAuthenticator {
						t.Errorf("%s: the NAS gets attribute %d first, expected Message-Authenticator", x.name, attributes[0])
					}
					attributes = attributes[macLength:]
				}
				if got := string(attributes); got != x.want {
					t.Errorf("%s, 1.1 %v: the NAS gets %q, expected %q", x.name, v11, got, x.want)
				}
				if !radius.IsAuthenticRequest(sent, []byte(key)) {
					t.Errorf("%s: the Request Authenticator is wrong", x.name)
				}
				if !bytes.Equal(packet, before) {
					t.Errorf("%s: the client's packet was changed", x.name)
				}
			}
		}
	}
}

// toNAS returns what a NAS is sent for a client's request.
func toNAS(t *testing.T, packet []byte, v11 bool, nas *NAS, key string) ([]byte, error) {
	t.Helper()
	var v View
	parse := v.Parse
	if v11 {
		parse = v.Parse11
	}
	if err := parse(packet); err != nil {
		t.Fatal(err)
	}
	d, dst := NewDigests(), make([]byte, MaxLength)
	n, err := d.WriteRequestWith(dst, &v, radSecSecret(), serverSecret(t, key), 7, &RequestOptions{NAS: nas})
	d.Run()
	return dst[:n], err
}

// What identifies the NAS fits when what belongs to this hop is dropped.
// Rules: P15, P90
func TestLastHopCountsWhatIsCopied(t *testing.T) {
	d, dst := NewDigests(), make([]byte, MaxLength)
	for more, want := range []error{nil, ErrTooLong} {
		list := append(filling(18, 4096-20-6+more), pair{33, make([]byte, 4-more)})
		v := parsed(t, assemble(43, 7, nil, list...))
		n, err := d.WriteRequestWith(dst, v, radSecSecret(), serverSecret(t, key11), 7, &RequestOptions{NAS: &NAS{Address: []byte{192, 0, 2, 1}}})
		if err != want || err == nil && n != 4096 {
			t.Errorf("%d octets too long: expected %v, got %d octets, %v", more, want, n, err)
		}
	}
}

// Rules: P87
func TestOperatorNASIdentifier(t *testing.T) {
	for attrs, want := range map[string]string{
		"":                                    "none",
		"\xf1\x02":                            "none",
		"\xf1\x03\x08":                        "",
		"\xf1\x04\x09x":                       "none",
		"\xf2\x04\x08x":                       "none",
		"\xf1\x04\x09x\xf1\x05\x08id\x01\x02": "id",
	} {
		packet := append(make([]byte, MinLength), attrs...)
		packet[0] = 43
		putLength(packet, len(packet))
		var v View
		if err := v.Parse(packet); err != nil {
			t.Fatal(err)
		}
		got := v.OperatorNASIdentifier()
		if string(got) != want && !(got == nil && want == "none") {
			t.Errorf("Operator-NAS-Identifier of %q is %q, expected %q", attrs, got, want)
		}
	}
}
