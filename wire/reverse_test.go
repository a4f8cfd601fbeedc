package wire

import (
	"bytes"
	"encoding/binary"
	"testing"

	"layeh.com/radius"
)

const keySender = "secret-of-the-sender"

// reversed returns what a NAS is sent for a sender's request, which must verify.
func reversed(t *testing.T, request []byte, id ReverseID, o *ReverseOptions) []byte {
	t.Helper()
	d, dst := NewDigests(), make([]byte, MaxLength)
	v := parsed(t, request)
	ticket, err := d.VerifyReverse(v, serverSecret(t, keySender), false)
	d.Run()
	if err != nil || d.Result(ticket) != nil {
		t.Fatalf("the request does not verify: %v, %v", err, d.Result(ticket))
	}
	before := bytes.Clone(request)
	n, err := d.WriteReverse(dst, v, serverSecret(t, keySender), radSecSecret(), id, o)
	if err != nil {
		t.Fatal(err)
	}
	d.Run()
	if !bytes.Equal(request, before) {
		t.Error("the sender's packet was changed")
	}
	return dst[:n]
}

// tunnelPassword is a Tunnel-Password with a tag, hidden with zeros for an authenticator.
func tunnelPassword(t *testing.T, key string) pair {
	return pair{69, append([]byte{7}, salted(t, []byte("vlan-key"), 0x8123, key, make([]byte, 16))...)}
}

// A NAS gets a sender's request with an Identifier of its connection and the secret of that,
// without what is for proxies, and with its hidden values hidden anew; a client of RADIUS/1.1
// with a Token, unsigned, and the values in clear.
//
// Rules: RC11, RC13, RC14, RC15
func TestWriteReverse(t *testing.T) {
	zeros := make([]byte, 16)
	for _, code := range []Code{radius.CodeCoARequest, radius.CodeDisconnectRequest} {
		for _, withMA := range []bool{false, true} {
			list := []pair{{44, []byte("s-1")}, {33, []byte("sender")}, {126, []byte("1example.org")}, {241, []byte("\x08oni")},
				{24, []byte("state")}, {25, []byte("class")}, {241, []byte("\x09keep")}, tunnelPassword(t, keySender), {33, []byte("two")}}
			want := []pair{{44, []byte("s-1")}, {24, []byte("state")}, {25, []byte("class")}, {241, []byte("\x09keep")}, {69, nil}, {32, []byte("ap-7")}}
			if withMA {
				list = append(list, pair{80, zeros})
			}
			request := oracleSign(assemble(code, 9, nil, list...), nil, keySender)

			down := reversed(t, request, 200, &ReverseOptions{NAS: &NAS{Identifier: "ap-7"}})
			oracleChecks(t, down, nil, "radsec")
			if down[0] != byte(code) || down[1] != 200 {
				t.Errorf("Code %d, Identifier %d, expected %d, 200", down[0], down[1], code)
			}
			got := pairs(down)
			if hasMA := got[0].t == 80; hasMA != withMA {
				t.Errorf("a Message-Authenticator first: %t, expected %t", hasMA, withMA)
			}
			password := only(got, 69)[0].value
			if plain := unsalted(t, password[1:], "radsec", zeros); password[0] != 7 || string(plain) != "vlan-key" {
				t.Errorf("the Tunnel-Password is %q with tag %d, expected vlan-key, 7", plain, password[0])
			}
			want[4].value = password
			samePairs(t, "what the NAS gets", want, without(got, 80))

			down = reversed(t, request, 0xdeadbeef, &ReverseOptions{V11: true, NAS: &NAS{Identifier: "ap-7"}})
			if h := append(append([]byte{byte(code), 0}, down[2:4]...), 0xde, 0xad, 0xbe, 0xef); !bytes.Equal(down[:8], h) || !bytes.Equal(down[8:20], make([]byte, 12)) {
				t.Errorf("the header of RADIUS/1.1 is % x", down[:20])
			}
			want[4].value = []byte("\x07vlan-key")
			samePairs(t, "what a NAS of RADIUS/1.1 gets", want, pairs(down))
		}
	}
}

// A request that says which NAS it is for is sent as it is, and one that nothing is known of
// without a name.
//
// Rules: RC14
func TestWriteReverseOfANamedNAS(t *testing.T) {
	for _, named := range []pair{{32, []byte("own")}, {4, []byte{1, 2, 3, 4}}, {95, bytes.Repeat([]byte{6}, 16)}} {
		got := pairs(reversed(t, oracleSign(assemble(40, 1, nil, named), nil, keySender), 1, &ReverseOptions{NAS: &NAS{Identifier: "ap-7"}}))
		samePairs(t, "a named NAS", []pair{named}, got)
	}
	if got := pairs(reversed(t, oracleSign(assemble(40, 1, nil), nil, keySender), 1, &ReverseOptions{})); len(got) != 0 {
		t.Errorf("an unknown NAS gets %v", got)
	}
}

// What does not verify, or is not a CoA or Disconnect, is refused.
//
// Rules: RC4
func TestVerifyReverse(t *testing.T) {
	good := func(list ...pair) []byte { return oracleSign(assemble(40, 9, nil, list...), nil, keySender) }
	mac := pair{80, make([]byte, 16)}
	broken := func(b []byte, at int) []byte { b[at] ^= 1; return b }
	resigned := func(b []byte) []byte { // a wrong Message-Authenticator under a right authenticator
		b[30] ^= 1
		clear(b[4:20])
		copy(b[4:20], md5Of(b, []byte(keySender)))
		return b
	}
	for _, x := range []struct {
		name      string
		packet    []byte
		requireMA bool
		want      error
	}{
		{"good", good(), false, nil},
		{"good, with Message-Authenticator", good(mac), true, nil},
		{"no Message-Authenticator", good(), true, ErrNoMessageAuthenticator},
		{"wrong authenticator", broken(good(mac), 5), false, ErrRequestAuthenticator},
		{"wrong Message-Authenticator", resigned(good(mac)), false, ErrMessageAuthenticator},
		{"two of them", good(mac, mac), false, ErrMessageAuthenticatorForm},
		{"zeros for an authenticator", assemble(40, 9, nil), false, ErrRequestAuthenticator},
		{"another secret", oracleSign(assemble(43, 9, nil), nil, "other"), false, ErrRequestAuthenticator},
		{"Access-Request", oracleSign(assemble(1, 9, nil), nil, keySender), false, ErrCode},
		{"Accounting-Request", oracleSign(assemble(4, 9, nil), nil, keySender), false, ErrCode},
		{"CoA-ACK", oracleSign(assemble(44, 9, nil), nil, keySender), false, ErrCode},
	} {
		d := NewDigests()
		ticket, err := d.VerifyReverse(parsed(t, x.packet), serverSecret(t, keySender), x.requireMA)
		if err == nil {
			d.Run()
			err = d.Result(ticket)
		}
		if err != x.want {
			t.Errorf("%s: got %v, expected %v", x.name, err, x.want)
		}
	}
}

// The vectors of RFC 5176 §7 verify: the first and the third.
//
// Rules: RC4
func TestVerifyReverseOfVectors(t *testing.T) {
	n := 0
	for name, packet := range vectors(t) {
		if packet[0] != 40 || name == "" {
			continue
		}
		d := NewDigests()
		ticket, err := d.VerifyReverse(parsed(t, packet), serverSecret(t, "xyz"), false)
		if err != nil {
			continue // another secret's Message-Authenticator
		}
		if d.Run(); d.Result(ticket) == nil {
			n++
		}
	}
	if n < 2 {
		t.Errorf("%d of the vectors of RFC 5176 §7 verify, expected 2", n)
	}
}

// The sender gets its own Identifier, Proxy-State and signature back, and everything else of
// the answer unchanged, from a NAS of either version.
//
// Rules: RC12, RC13, RC15, RC16
func TestWriteReverseReply(t *testing.T) {
	for _, withMA := range []bool{false, true} {
		list := []pair{{33, []byte("one")}, {44, []byte("s")}, {33, []byte("two")}}
		if withMA {
			list = append(list, pair{80, make([]byte, 16)})
		}
		request := oracleSign(assemble(40, 9, nil, list...), nil, keySender)
		down := reversed(t, request, 17, &ReverseOptions{})
		cause := pair{101, binary.BigEndian.AppendUint32(nil, 503)}
		key := func(secret string, ra []byte) pair {
			return pair{69, append([]byte{1}, salted(t, []byte("k"), 0x8001, secret, ra)...)}
		}
		for _, v11 := range []bool{false, true} {
			reply := assemble(42, 17, nil, cause, pair{24, []byte("st")}, key("radsec", down[4:20]), pair{33, []byte("nas")})
			v := parsed(t, oracleSign(reply, down[4:20], "radsec"))
			if v11 {
				v = parsed11(t, assemble11(42, 17, cause, pair{24, []byte("st")}, pair{69, []byte("\x01k")}, pair{33, []byte("nas")}))
			}
			d, dst, sent := NewDigests(), make([]byte, MaxLength), [16]byte(down[4:20])
			ticket, err := d.VerifyReverseReply(v, &sent, radSecSecret())
			if d.Run(); err != nil || d.Result(ticket) != nil {
				t.Fatalf("the reply does not verify: %v, %v", err, d.Result(ticket))
			}
			n, err := d.WriteReverseReply(dst, v, parsed(t, request), &sent, radSecSecret(), serverSecret(t, keySender))
			if err != nil {
				t.Fatal(err)
			}
			d.Run()
			up := dst[:n]
			oracleChecks(t, up, request[4:20], keySender)
			if up[0] != 42 || up[1] != 9 {
				t.Errorf("Code %d, Identifier %d, expected 42, 9", up[0], up[1])
			}
			got := pairs(up)
			if hasMA := got[0].t == 80; hasMA != withMA {
				t.Errorf("a Message-Authenticator first: %t, expected %t", hasMA, withMA)
			}
			password := only(got, 69)[0]
			if plain := unsalted(t, password.value[1:], keySender, request[4:20]); string(plain) != "k" {
				t.Errorf("the hidden value is %q, expected k", plain)
			}
			want := []pair{cause, {24, []byte("st")}, password, {33, []byte("one")}, {33, []byte("two")}}
			samePairs(t, "what the sender gets", want, without(got, 80))
		}
	}
}

// A NAS's answer verifies only over what it was sent, with the secret of its connection; its
// Message-Authenticator over the request's authenticator or over zeros.
//
// Rules: RC12
func TestVerifyReverseReply(t *testing.T) {
	sent := [16]byte(authenticator(3))
	sign := func(secret string, ra []byte, list ...pair) []byte {
		return oracleSign(assemble(44, 17, nil, list...), ra, secret)
	}
	mac := pair{80, make([]byte, 16)}
	overZeros := sign("radsec", sent[:], mac)
	copy(overZeros[22:38], macOf(overZeros, make([]byte, 16), "radsec"))
	copy(overZeros[4:20], sent[:])
	copy(overZeros[4:20], md5Of(overZeros, []byte("radsec")))
	for _, x := range []struct {
		name   string
		packet []byte
		want   error
	}{
		{"good", sign("radsec", sent[:]), nil},
		{"good, with Message-Authenticator", sign("radsec", sent[:], mac), nil},
		{"Message-Authenticator over zeros", overZeros, nil},
		{"another secret", sign("other", sent[:]), ErrReverseAuthenticator},
		{"another request", sign("radsec", authenticator(4)), ErrReverseAuthenticator},
		{"two Message-Authenticators", sign("radsec", sent[:], mac, mac), ErrMessageAuthenticatorForm},
	} {
		d := NewDigests()
		ticket, err := d.VerifyReverseReply(parsed(t, x.packet), &sent, radSecSecret())
		if err == nil {
			d.Run()
			err = d.Result(ticket)
		}
		if err != x.want {
			t.Errorf("%s: got %v, expected %v", x.name, err, x.want)
		}
	}
}

// The gateway's own NAK has the sender's Proxy-State and is signed for it.
//
// Rules: RC8, RC13
func TestWriteReverseAnswer(t *testing.T) {
	request := oracleSign(assemble(40, 9, nil, pair{33, []byte("p")}), nil, keySender)
	d, dst := NewDigests(), make([]byte, MaxLength)
	n, err := d.WriteReverseAnswer(dst, parsed(t, request), Answer{Code: radius.CodeDisconnectNAK, ErrorCause: 502}, serverSecret(t, keySender))
	if err != nil {
		t.Fatal(err)
	}
	d.Run()
	oracleChecks(t, dst[:n], request[4:20], keySender)
	samePairs(t, "the NAK", []pair{{101, []byte{0, 0, 1, 0xf6}}, {33, []byte("p")}}, pairs(dst[:n]))
	if _, err := d.WriteReverseAnswer(dst, parsed(t, request), Answer{Code: radius.CodeDisconnectACK}, serverSecret(t, keySender)); err != ErrCode {
		t.Errorf("an ACK of the gateway's own: got %v, expected ErrCode", err)
	}
}

// What does not fit into 4096 octets is refused, either way.
func TestReverseTooLong(t *testing.T) {
	var list []pair
	for range 15 {
		list = append(list, pair{18, make([]byte, 253)})
	}
	list = append(list, pair{18, make([]byte, 4096-20-15*255-2)})
	d, dst := NewDigests(), make([]byte, MaxLength)
	v := parsed(t, assemble(40, 1, nil, list...))
	if _, err := d.WriteReverse(dst, v, serverSecret(t, keySender), radSecSecret(), 1, &ReverseOptions{NAS: &NAS{Identifier: "x"}}); err != ErrTooLong {
		t.Errorf("the NAS's copy: got %v, expected ErrTooLong", err)
	}
	req, sent := parsed(t, assemble(40, 1, nil, pair{33, []byte("p")})), [16]byte{}
	reply := parsed(t, assemble(44, 1, nil, list...))
	if _, err := d.WriteReverseReply(dst, reply, req, &sent, radSecSecret(), serverSecret(t, keySender)); err != ErrTooLong {
		t.Errorf("the sender's copy: got %v, expected ErrTooLong", err)
	}
}
