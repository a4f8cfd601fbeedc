package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"layeh.com/radius"
)

var everyCheck = RequestPolicy{VerifyRA: true}

// RFC 2865 §3, RFC 6613 §2.6.4
// Rules: P1, P3, P5
func TestVectorsFrame(t *testing.T) {
	for name, b := range vectors(t) {
		if strings.HasPrefix(name, "6929") || strings.HasPrefix(name, "fr-tunnel") {
			continue // attributes, not packets
		}
		if n, err := Cut(append(bytes.Clone(b), 1, 2, 3)); n != len(b) || err != nil {
			t.Errorf("%s: expected Cut to find %d octets, got %d, %v", name, len(b), n, err)
		}
		err := new(View).Parse(b)
		if name == "2865-7.3-request2" {
			// Printed with State length 0x10 where 0x0a is right.
			var framing *AttributeError
			if !errors.As(err, &framing) || framing.Type != 24 || framing.Length != 16 || framing.Available != 10 {
				t.Errorf("%s: expected State's length 16 with 10 octets left to be refused, got %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// RFC 2865 §3, RFC 3579 §3.2, RFC 5176 §3.4, RFC 5997 §3
// Rules: P18, P20, P47, P51, P52, P76, P78
func TestVectorRequestsVerify(t *testing.T) {
	all := vectors(t)
	good := bytes.Clone(all["2865-7.3-request2"])
	good[len(good)-9] = 0x0a
	all["2865-7.3-request2-repaired"] = good
	for _, c := range []struct {
		name, key string
		want      error
	}{
		{"2865-7.1-request", "xyzzy5461", nil},
		{"2865-7.2-request", "xyzzy5461", nil},
		{"2865-7.3-request1", "xyzzy5461", nil},
		{"2865-7.3-request2-repaired", "xyzzy5461", nil},
		{"5997-6.1-request", "xyzzy5461", nil},
		{"5997-6.2-request", "xyzzy5461", nil},
		{"5997-6.3-request", "xyzzy5461", nil},
		{"5090-6-request1", "secret", nil},
		{"5090-6-request2", "secret", nil},
		{"5090-6-request3", "secret", nil},
		{"5090-6-request4", "secret", nil},
		{"5176-7-1", "xyz", nil},
		{"5176-7-2", "xyz", ErrRequestAuthenticator}, // does not verify as printed
		{"5176-7-3", "xyz", nil},
		{"fr-dm-ma", "testing123", nil},
		{"D1", "radsec", nil},
		{"D2", "xyzzy5461", nil},
		{"D5", "xyzzy5461", nil},
		{"D7", "xyzzy5461", nil},
		{"D8", "radsec", nil},
		{"D11", "radsec", nil},
		{"D1", "other", ErrMessageAuthenticator},
		{"D5", "other", ErrRequestAuthenticator},
		{"D8", "other", ErrRequestAuthenticator},
		{"D11", "other", ErrMessageAuthenticator},
	} {
		v := parsed(t, all[c.name])
		before := bytes.Clone(v.Packet)
		if err := NewHasher().VerifyRequest(v, clientSecret(t, c.key), everyCheck); err != c.want {
			t.Errorf("%s under %q: expected %v, got %v", c.name, c.key, c.want, err)
		}
		if !bytes.Equal(before, v.Packet) {
			t.Errorf("%s: verifying altered the packet", c.name)
		}
	}
}

// RFC 2865 §3, RFC 3579 §3.2, RFC 7930 §4
// Rules: P18, P21, P49, P51, P96
func TestVectorRepliesVerify(t *testing.T) {
	all := vectors(t)
	repaired := bytes.Clone(all["5997-6.2-response"])
	repaired[0] = 5 // printed as 02
	all["5997-6.2-response-repaired"] = repaired
	all["D5-radsec"] = oracleSign(bytes.Clone(all["D5"]), nil, "radsec")
	for _, c := range []struct {
		request, reply, key string
		want                error
	}{
		{"2865-7.1-request", "2865-7.1-accept", "xyzzy5461", nil},
		{"2865-7.2-request", "2865-7.2-accept", "xyzzy5461", nil},
		{"2865-7.3-request1", "2865-7.3-challenge", "xyzzy5461", nil},
		{"2865-7.3-request2", "2865-7.3-reject", "xyzzy5461", nil},
		{"5997-6.1-request", "5997-6.1-response", "xyzzy5461", nil},
		{"5997-6.2-request", "5997-6.2-response", "xyzzy5461", ErrResponseAuthenticator},
		{"5997-6.2-request", "5997-6.2-response-repaired", "xyzzy5461", nil},
		{"5997-6.3-request", "5997-6.3-response", "xyzzy5461", nil},
		{"5090-6-request1", "5090-6-challenge1", "secret", nil},
		{"5090-6-request2", "5090-6-accept2", "secret", nil},
		{"5090-6-request3", "5090-6-challenge3", "secret", nil},
		{"5090-6-request4", "5090-6-accept4", "secret", nil},
		{"D2", "D3", "xyzzy5461", nil},
		{"D1", "D4", "radsec", nil},
		{"D5", "D6", "xyzzy5461", nil},
		{"D8", "D9", "radsec", nil},
		{"D5-radsec", "D10", "radsec", nil},
		{"D11", "D12", "radsec", nil},
		{"D2", "D3", "other", ErrResponseAuthenticator},
		{"D1", "D3", "xyzzy5461", nil}, // D2 kept the authenticator of D1
		{"D11", "D3", "xyzzy5461", ErrResponseAuthenticator},
	} {
		reply := parsed(t, all[c.reply])
		ra := [16]byte(all[c.request][4:20])
		code := Code(all[c.request][0])
		err := NewHasher().VerifyReply(reply, code, &ra, serverSecret(t, c.key), reply.HasMessageAuthenticator())
		if err != c.want {
			t.Errorf("%s to %s under %q: expected %v, got %v", c.reply, c.request, c.key, c.want, err)
		}
		if c.reply != "5997-6.2-response" && !Answers(code, reply.Code()) {
			t.Errorf("%s: code %d ought to answer %d", c.reply, reply.Code(), code)
		}
	}
}

// RFC 2865 §5.2
// Rules: P35
func TestVectorPasswordsReveal(t *testing.T) {
	all := vectors(t)
	repaired := bytes.Clone(all["2865-7.3-request2"])
	repaired[len(repaired)-9] = 0x0a
	all["2865-7.3-request2-repaired"] = repaired
	for _, c := range []struct{ name, key, password string }{
		{"2865-7.1-request", "xyzzy5461", "arctangent"},
		{"2865-7.3-request1", "xyzzy5461", "challenge"},
		{"2865-7.3-request2-repaired", "xyzzy5461", "99101462"},
		{"D1", "radsec", "arctangent"},
		{"D2", "xyzzy5461", "arctangent"},
	} {
		v := parsed(t, all[c.name])
		revealed := Reveal(v, v.Authenticator(), serverSecret(t, c.key))
		i := 0
		for i = range revealed {
			if revealed[i].Name == "User-Password" {
				break
			}
		}
		if a := revealed[i]; string(a.Value) != c.password || !a.Hidden || a.Sealed {
			t.Errorf("%s: expected User-Password %q, got %q", c.name, c.password, a.Value)
		}
		hidden, err := HidePassword([]byte(c.password), serverSecret(t, c.key), v.Authenticator())
		if err != nil || !bytes.Equal(hidden, v.Get(2)) {
			t.Errorf("%s: hiding %q again: expected % x, got % x, %v", c.name, c.password, v.Get(2), hidden, err)
		}
	}
}

// The published CHAP packet's response fits the request's authenticator, which
// the server's copy must carry as CHAP-Challenge (RFC 2865 §2.3, §5.3).
// Rules: P36, P44
func TestVectorCHAPChallenge(t *testing.T) {
	v := parsed(t, vectors(t)["2865-7.2-request"])
	dst := make([]byte, MaxLength)
	n, err := NewHasher().WriteRequest(dst, v, clientSecret(t, "xyzzy5461"), serverSecret(t, "other"), 9)
	if err != nil {
		t.Fatal(err)
	}
	out := parsed(t, dst[:n])
	chap, challenge := out.Get(3), out.Get(60)
	if !bytes.Equal(challenge, v.Authenticator()[:]) {
		t.Fatalf("expected CHAP-Challenge % x, got % x", *v.Authenticator(), challenge)
	}
	if want := md5Of(chap[:1], []byte("arctangent"), challenge); !bytes.Equal(want, chap[1:]) {
		t.Fatalf("the server cannot verify CHAP-Password: expected % x, got % x", want, chap[1:])
	}
	oracleChecks(t, out.Packet, nil, "other")
}

// RFC 6929 §2.1, §2.2, §2.8: types, flags and fragments of the extended space
// are nobody's business but the ends'.
// Rules: P7, P8, P10, P12, P13
func TestVectorExtendedAttributesPassUnchanged(t *testing.T) {
	h, client, server := NewHasher(), radSecSecret(), serverSecret(t, "xyzzy5461")
	for name, b := range vectors(t) {
		if !strings.HasPrefix(name, "6929") {
			continue
		}
		request := append(assemble(1, 7, authenticator(1)), b...)
		// One that is too short to be valid, which is not malformed.
		request = append(request, 241, 3, 1, 245, 4, 1, 2, 245, 2)
		request[2], request[3] = byte(len(request)>>8), byte(len(request))
		dst := make([]byte, MaxLength)
		n, err := h.WriteRequest(dst, parsed(t, request), client, server, 1)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		samePairs(t, name, pairs(request), without(pairs(dst[:n]), 80))
	}
}

// RFC 2868 §3.5: only the length octet says where the password ends.
// Rules: P38, P40
func TestVectorTunnelPasswordPadding(t *testing.T) {
	all := vectors(t)
	ra := [16]byte(authenticator(0))
	for name, want := range map[string]string{"fr-tunnel-pw": "foo", "fr-tunnel-pw2": "barbar"} {
		accept := append(assemble(2, 0, nil), all[name]...)
		accept[3] = byte(len(accept))
		v := parsed(t, accept)
		got := Reveal(v, &ra, serverSecret(t, "testing123"))
		if len(got) != 1 || string(got[0].Value) != want || got[0].Tag != 0 || got[0].Sealed {
			t.Errorf("%s: expected Tunnel-Password %q, got %+v", name, want, got)
		}
		// Its padding is not zero, and is carried through.
		request := parsed(t, assemble(1, 3, authenticator(50)))
		dst := make([]byte, MaxLength)
		n, err := NewHasher().WriteReply(dst, v, request, &ra, serverSecret(t, "testing123"), radSecSecret())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out := parsed(t, dst[:n]).Get(69)
		if plain := unsalted(t, out[1:], "radsec", authenticator(50)); string(plain) != want {
			t.Errorf("%s: expected the client to read %q, got %q", name, want, plain)
		}
	}
}

// RFC 2865 §2.3: D1 goes to the server as D2 does, D3 comes back as D4 does,
// but for what is random.
// Rules: P22, P30, P32, P35, P38, P39, P45, P46, P50
func TestVectorRelay(t *testing.T) {
	all := vectors(t)
	h, server := NewHasher(), serverSecret(t, "xyzzy5461")
	request := parsed(t, all["D1"])
	dst := make([]byte, MaxLength)
	n, err := h.WriteRequest(dst, request, radSecSecret(), server, 0)
	if err != nil {
		t.Fatal(err)
	}
	oracleChecks(t, dst[:n], nil, "xyzzy5461")
	got := pairs(dst[:n])
	if got[0].t != 80 {
		t.Fatalf("server sees attribute %d first, expected Message-Authenticator", got[0].t)
	}
	password := revealPassword(got[2].value, "xyzzy5461", dst[4:20])
	if want := "arctangent\x00\x00\x00\x00\x00\x00"; string(password) != want {
		t.Fatalf("server reads password %q, expected %q", password, want)
	}
	samePairs(t, "what the server sees", without(pairs(all["D2"]), 2, 33, 80), without(got, 2, 80))

	ra := [16]byte(all["D2"][4:20])
	if n, err = h.WriteReply(dst, parsed(t, all["D3"]), request, &ra, server, radSecSecret()); err != nil {
		t.Fatal(err)
	}
	oracleChecks(t, dst[:n], all["D1"][4:20], "radsec")
	samePairs(t, "what the client sees", without(pairs(all["D4"]), 26, 69, 80), without(pairs(dst[:n]), 26, 69, 80))
	want := Reveal(parsed(t, all["D4"]), request.Authenticator(), serverSecret(t, "radsec"))
	seen := Reveal(parsed(t, dst[:n]), request.Authenticator(), serverSecret(t, "radsec"))
	for i := range want {
		if want[i].Name != seen[i].Name || want[i].Type != 80 && !bytes.Equal(want[i].Value, seen[i].Value) {
			t.Errorf("the client reads %s % x, expected %s % x", seen[i].Name, seen[i].Value, want[i].Name, want[i].Value)
		}
	}
	if seen[1].Name != "MS-MPPE-Send-Key" || !bytes.Equal(seen[1].Value, append(authenticator(0), authenticator(16)...)) {
		t.Errorf("expected MS-MPPE-Send-Key 00..1f, got %s % x", seen[1].Name, seen[1].Value)
	}
}

// RFC 5176 §3.5, RFC 7930 §4, RFC 5997 §3: D9, D10 and D12 octet by octet,
// but for where D9 has its Message-Authenticator.
// Rules: P30, P34, P77, P96
func TestVectorAnswers(t *testing.T) {
	all := vectors(t)
	all["D5-radsec"] = oracleSign(bytes.Clone(all["D5"]), nil, "radsec")
	for _, c := range []struct {
		request, reply string
		answer         Answer
	}{
		{"D8", "D9", Answer{Code: radius.CodeCoANAK, ErrorCause: 502}},
		{"D5-radsec", "D10", Answer{Code: CodeProtocolError, ErrorCause: 406, OriginalCode: true}},
		{"D11", "D12", Answer{Code: radius.CodeAccessAccept}},
	} {
		request := parsed(t, all[c.request])
		dst := make([]byte, MaxLength)
		n, err := NewHasher().WriteAnswer(dst, request, c.answer, radSecSecret())
		if err != nil {
			t.Errorf("%s: %v", c.reply, err)
			continue
		}
		oracleChecks(t, dst[:n], request.Authenticator()[:], "radsec")
		if c.reply != "D9" && !bytes.Equal(dst[:n], all[c.reply]) {
			t.Errorf("%s: expected % x\ngot % x", c.reply, all[c.reply], dst[:n])
		}
		samePairs(t, c.reply, without(pairs(all[c.reply]), 80), without(pairs(dst[:n]), 80))
		if dst[20] != 80 {
			t.Errorf("%s: expected Message-Authenticator first, got attribute %d", c.reply, dst[20])
		}
	}
}
