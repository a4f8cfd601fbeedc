package wire

import (
	"slices"
	"strings"
	"testing"

	"layeh.com/radius"
)

// The gateway's own Proxy-State is the last attribute, after CHAP-Challenge and the
// rest, and is omitted where it does not fit.
// Rules: P11, P15, P31
func TestMarkerIsLast(t *testing.T) {
	secret, err := NewServerSecret([]byte("server-secret-of-16+"))
	if err != nil {
		t.Fatal(err)
	}
	state := []byte("the gateway's")
	for _, x := range []struct {
		name  string
		attrs string
		want  bool
	}{
		{"CHAP without its challenge", "\x21\x05one\x01\x03u\x03\x13" + strings.Repeat("c", 17), true},
		{"EAP", "\x4f\x05abc\x21\x05one\x4f\x05def", true},
		{"space for it to the octet", strings.Repeat("\xc8\xfb"+strings.Repeat("x", 249), 16) + "\xc8\x1b" + strings.Repeat("x", 25), true},
		{"an octet less", strings.Repeat("\xc8\xfb"+strings.Repeat("x", 249), 16) + "\xc8\x1c" + strings.Repeat("x", 26), false},
	} {
		packet := append(make([]byte, MinLength), x.attrs...)
		packet[0] = byte(radius.CodeAccessRequest)
		putLength(packet, len(packet))
		var v View
		if err := v.Parse(packet); err != nil {
			t.Fatal(err)
		}
		d, dst := NewDigests(), make([]byte, MaxLength)
		n, err := d.WriteRequestWith(dst, &v, radSecSecret(), secret, 7, &RequestOptions{ProxyState: state})
		if err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		d.Run()
		var out View
		if err := out.Parse(dst[:n]); err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		var types []byte
		for typ, value := range out.All() {
			types = append(types, typ)
			if typ == 33 && string(value) != string(state) {
				t.Errorf("%s: the server sees Proxy-State %q, expected %q", x.name, value, state)
			}
		}
		if last := slices.Index(types, 33) == len(types)-1; last != x.want || !x.want && slices.Contains(types, 33) {
			t.Errorf("%s: the server sees attributes %d, expected one Proxy-State at the end: %v", x.name, types, x.want)
		}
	}
}

// Rules: P33
func TestNextProxyState(t *testing.T) {
	for attrs, want := range map[string]string{
		"\x01\x03u": "",
		"\x21\x02":  "",
		"\x21\x05abc\x01\x05abd\x21\x04ab\x21\x03a\x21\x06abab\x21\x05xab": "abc ab abab",
	} {
		packet := append(make([]byte, MinLength), attrs...)
		packet[0] = 1
		putLength(packet, len(packet))
		var v View
		if err := v.Parse(packet); err != nil {
			t.Fatal(err)
		}
		var got []string
		for value, next := v.NextProxyState("ab", 0); value != nil; value, next = v.NextProxyState("ab", next) {
			got = append(got, string(value))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("in %q the Proxy-State that begins with \"ab\" is %q, expected %q", attrs, got, want)
		}
	}
}
