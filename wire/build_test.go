package wire

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"layeh.com/radius"
)

// To sign is to change the authenticators, and nothing else.
// Rules: P18, P20
func TestSignChangesNothingElse(t *testing.T) {
	h := NewHasher()
	for _, code := range []Code{1, 4, 12, 40, 43} {
		packet := assemble(code, 1, authenticator(3), pair{1, []byte("nemo")}, pair{80, make([]byte, 16)})
		before := bytes.Clone(packet)
		if err := h.SignRequest(packet, serverSecret(t, "k")); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(packet[:4], before[:4]) || !bytes.Equal(packet[20:28], before[20:28]) {
			t.Errorf("code %d: more than the authenticators changed: % x, before % x", code, packet, before)
		}
		oracleChecks(t, packet, nil, "k")
	}
}

// Rules: P1, P15
func TestBuilderLimits(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "k")
	for _, c := range []struct {
		what  string
		fits  *Builder
		value pair
	}{
		{"a value of 253 octets", NewRequest(1, 1).Add(18, make([]byte, 253)), pair{18, make([]byte, 253)}},
		{"an empty value", NewRequest(1, 1).Add(18, nil), pair{18, nil}},
	} {
		packet, err := c.fits.Sign(h, server)
		if err != nil {
			t.Errorf("%s: expected a packet, got %v", c.what, err)
			continue
		}
		samePairs(t, c.what, []pair{c.value}, pairs(packet))
	}
	whole := NewRequest(1, 1)
	for _, p := range filling(18, 4096-20) {
		whole.Add(p.t, p.value)
	}
	if packet, err := whole.Sign(h, server); err != nil || len(packet) != 4096 {
		t.Errorf("4096 octets: expected a packet of them, got %d, %v", len(packet), err)
	}
	whole = NewRequest(1, 1)
	for _, p := range filling(18, 4097-20) {
		whole.Add(p.t, p.value)
	}
	if _, err := whole.Sign(h, server); err != ErrTooLong {
		t.Errorf("4097 octets: expected ErrTooLong, got %v", err)
	}
}

// The error is the first mistake's, and names it.
func TestBuilderKeepsTheFirstMistake(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "k")
	for want, b := range map[string]*Builder{
		"build: expected the code of a request, got 2":              NewRequest(2, 1).Add(1, make([]byte, 254)).AddUserPassword(make([]byte, 129), server),
		"build: attribute 18: expected at most 253 octets, got 254": NewRequest(1, 1).Add(18, make([]byte, 254)).AddUserPassword(make([]byte, 129), server).Add(19, make([]byte, 255)),
		"User-Password: expected at most 128 octets, got 129":       NewRequest(1, 1).AddUserPassword(make([]byte, 129), server).Add(18, make([]byte, 254)),
		"build: attribute 1: expected at most 253 octets, got 300":  NewRequest(1, 1).AddText(1, strings.Repeat("x", 300)).AddUserPassword(make([]byte, 129), server),
	} {
		if _, err := b.Sign(h, server); err == nil || err.Error() != want {
			t.Errorf("expected the error %q, got %v", want, err)
		}
	}
}

// Every octet of the Request Authenticator is drawn, and it hides the password.
// Rules: P23, P35
func TestBuilderAuthenticator(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "k")
	var seen [16]byte
	for range 64 {
		packet, err := NewRequest(1, 7).AddUserPassword([]byte("secret"), server).Sign(h, server)
		if err != nil {
			t.Fatal(err)
		}
		if packet[1] != 7 || int(binary.BigEndian.Uint16(packet[2:])) != len(packet) {
			t.Fatalf("header: % x", packet[:4])
		}
		for i, b := range packet[4:20] {
			seen[i] |= b
		}
		plain := revealPassword(pairs(packet)[0].value, "k", packet[4:20])
		if want := append([]byte("secret"), make([]byte, 10)...); !bytes.Equal(plain, want) {
			t.Fatalf("expected the password %q, got %q", want, plain)
		}
	}
	if i := bytes.IndexByte(seen[:], 0); i >= 0 {
		t.Errorf("octet %d of 64 Request Authenticators is 0", i)
	}
}

// RFC 2865 §3, RFC 2866 §3, RFC 5176 §2.3, RFC 5997 §3
// Rules: P18, P35, P76
func TestBuilderSignsEachKind(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "xyzzy5461")
	for _, code := range []Code{1, 4, 12, 40, 43} {
		for _, withMA := range []bool{false, true} {
			b := NewRequest(code, 9)
			if withMA {
				b.AddMessageAuthenticator()
			}
			b.AddText(1, "nemo").Add(5, []byte{0, 0, 0, 3})
			for _, p := range []pair{vsa(311, sub(25, []byte("x"))...), {79, make([]byte, 253)}, {79, make([]byte, 47)}} {
				b.Add(p.t, p.value)
			}
			packet, err := b.Sign(h, server)
			if err != nil {
				t.Fatalf("code %d: %v", code, err)
			}
			oracleChecks(t, packet, nil, "xyzzy5461")
			if err := h.VerifyRequest(parsed(t, packet), clientSecret(t, "xyzzy5461"), everyCheck); err != nil && (withMA || code != 12) {
				t.Errorf("code %d: own request does not verify: %v", code, err)
			}
		}
	}
}

// RFC 2865 §5.2, compared with layeh.com/radius
// Rules: P35
func TestHidePassword(t *testing.T) {
	ra := [16]byte(authenticator(3))
	for _, n := range []int{1, 15, 16, 17, 32, 100, 128} {
		plain := strings.Repeat("p", n)
		hidden, err := HidePassword([]byte(plain), serverSecret(t, "k"), &ra)
		want, layeh := radius.NewUserPassword([]byte(plain), []byte("k"), ra[:])
		if err != nil || layeh != nil || !bytes.Equal(want, hidden) {
			t.Errorf("password of %d octets: expected % x, got % x, %v", n, want, hidden, err)
		}
	}
	if hidden, err := HidePassword(nil, serverSecret(t, "k"), &ra); err != nil || len(hidden) != 16 {
		t.Errorf("an empty password: expected one block, got % x, %v", hidden, err)
	}
	if _, err := HidePassword(make([]byte, 129), serverSecret(t, "k"), &ra); err == nil {
		t.Error("a password of 129 octets was hidden")
	}
}

func TestBuilderMistakes(t *testing.T) {
	h, server := NewHasher(), serverSecret(t, "k")
	long := NewRequest(1, 1)
	for range 17 {
		long.Add(18, make([]byte, 253))
	}
	for what, b := range map[string]*Builder{
		"a reply's code":            NewRequest(2, 1),
		"a value of 254 octets":     NewRequest(1, 1).Add(18, make([]byte, 254)),
		"a password of 129 octets":  NewRequest(1, 1).AddUserPassword(make([]byte, 129), server),
		"two MAs":                   NewRequest(1, 1).AddMessageAuthenticator().AddMessageAuthenticator(),
		"more than 4096 octets":     long,
		"the first mistake is kept": NewRequest(2, 1).Add(1, []byte("x")),
	} {
		if _, err := b.Sign(h, server); err == nil {
			t.Errorf("%s: expected an error", what)
		}
	}
	if err := h.SignRequest([]byte{1}, server); err == nil {
		t.Error("a header that is short was signed")
	}
	if err := h.SignRequest(assemble(2, 1, nil), server); err != ErrCode {
		t.Errorf("signing a reply as a request: expected ErrCode, got %v", err)
	}
}

// Rules: P18
func TestSignReply(t *testing.T) {
	h := NewHasher()
	ra := [16]byte(authenticator(7))
	for _, list := range [][]pair{nil, {ma}, {{1, []byte("nemo")}, ma}} {
		reply := assemble(2, 1, nil, list...)
		if err := h.SignReply(reply, &ra, clientSecret(t, "k")); err != nil {
			t.Fatal(err)
		}
		oracleChecks(t, reply, ra[:], "k")
	}
	if err := h.SignReply(assemble(1, 1, nil), &ra, clientSecret(t, "k")); err != ErrCode {
		t.Errorf("signing a request as a reply: expected ErrCode, got %v", err)
	}
	if err := h.SignReply(assemble(2, 1, nil, ma, ma), &ra, clientSecret(t, "k")); err != ErrMessageAuthenticatorForm {
		t.Errorf("two MAs: expected ErrMessageAuthenticatorForm, got %v", err)
	}
	if err := h.SignReply([]byte{2}, &ra, clientSecret(t, "k")); err == nil {
		t.Error("a header that is short was signed")
	}
}

// Requests of the gateway's own have authenticators of their own, which nobody can
// foresee where they are not computed (RFC 2865 §3, RFC 5997 §3).
// Rules: P18, P23, P81
func TestBuiltRequestsHaveRandomAuthenticators(t *testing.T) {
	server := serverSecret(t, "server's")
	for _, code := range []Code{1, 12} {
		seen := map[[16]byte]bool{{}: true}
		for range 100 {
			b, err := NewRequest(code, 7).AddMessageAuthenticator().Sign(NewHasher(), server)
			if err != nil {
				t.Fatal(err)
			}
			if ra := [16]byte(b[4:20]); seen[ra] {
				t.Fatalf("code %d: the Request Authenticator % x is zeros or was there before", code, ra)
			}
			seen[[16]byte(b[4:20])] = true
		}
	}
}
