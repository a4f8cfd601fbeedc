package wire

import (
	"bytes"
	"testing"

	"layeh.com/radius"
)

// What does not fit is an error even when something after it is omitted.
// Rules: P15
func TestTooLongBeforeProxyState(t *testing.T) {
	list := append(filling(18, 4060), pair{33, []byte("one")})
	dst := make([]byte, MaxLength)
	for what, v := range map[string]*View{"1.0": parsed(t, assemble(1, 1, authenticator(9), list...)), "1.1": parsed11(t, assemble11(1, 9, list...))} {
		if _, err := NewHasher().WriteRequest(dst, v, radSecSecret(), serverSecret(t, "s"), 1); err != ErrTooLong {
			t.Errorf("RADIUS/%s: expected ErrTooLong, got %v", what, err)
		}
	}
}

// clientSees writes the client's copy of a reply and checks its signature.
func clientSees(t *testing.T, request, reply []byte) []pair {
	t.Helper()
	ra := [16]byte(authenticator(90))
	dst := make([]byte, MaxLength)
	n, err := NewHasher().WriteReply(dst, parsed(t, reply), parsed(t, request), &ra, serverSecret(t, "server's"), radSecSecret())
	if err != nil {
		t.Fatalf("WriteReply: %v", err)
	}
	oracleChecks(t, dst[:n], request[4:20], "radsec")
	if dst[0] != reply[0] || dst[1] != request[1] {
		t.Fatalf("client sees code %d and Identifier %d, expected %d and %d", dst[0], dst[1], reply[0], request[1])
	}
	return pairs(dst[:n])
}

// RFC 2865 §2, §2.3, §5.33
// Rules: P22, P30, P31, P32, P33
func TestWriteReplyProxyState(t *testing.T) {
	one, two, empty := pair{33, []byte("\x00one")}, pair{33, []byte("two")}, pair{33, nil}
	name, text := pair{1, []byte("nemo")}, pair{18, []byte("hello")}
	for _, c := range []struct {
		what                  string
		request, reply, wants []pair
	}{
		{"none at all", []pair{name}, []pair{text}, []pair{text}},
		{"the client's come back in order, at the end", []pair{one, name, two, empty}, []pair{text}, []pair{text, one, two, empty}},
		{"the server's are dropped", []pair{name}, []pair{two, text, one}, []pair{text}},
		{"the server's mangling does not matter", []pair{one, name}, []pair{text, {33, []byte("mangled")}}, []pair{text, one}},
	} {
		got := clientSees(t, assemble(1, 7, authenticator(1), c.request...), assemble(2, 200, nil, c.reply...))
		samePairs(t, c.what, c.wants, without(got, 80))
	}
}

// An Accounting-Response has none, whatever the request or the server's has:
// FreeRADIUS 3.2.1 refuses one over the request's authenticator, others one over
// zeros, and none is what the table of RFC 2869 §5.19 wants. An EAP-Message, which
// has no place there and must not be without one, is omitted.
//
// draft-ietf-radext-deprecating-radius §5.3.6, RFC 5176 §3.4, RFC 3579 §3.1, §3.3
// Rules: P45, P48, P50, P52, C5
func TestWriteReplyMessageAuthenticator(t *testing.T) {
	name, eap := pair{1, []byte("nemo")}, pair{79, []byte{3, 1, 0, 4}}
	for _, c := range []struct {
		what           string
		code           Code
		request        []pair
		answer         Code
		reply          []pair
		messageAuthent bool
	}{
		{"accept", 1, []pair{name}, 2, []pair{name}, true},
		{"reject with the server's own", 1, []pair{ma, name}, 3, []pair{name, ma}, true},
		{"challenge", 1, []pair{name, ma}, 11, nil, true},
		{"accounting without", 4, []pair{name}, 5, []pair{ma}, false},
		{"accounting that had one", 4, []pair{name, ma}, 5, nil, false},
		{"accounting that had one, with the server's own", 4, []pair{ma, name}, 5, []pair{ma, name}, false},
		{"accounting with EAP", 4, []pair{ma, eap}, 5, []pair{eap, ma, eap}, false},
		{"CoA without", 43, []pair{name}, 44, []pair{name, ma}, false},
		{"CoA that had one", 43, []pair{ma}, 45, []pair{name}, true},
		{"disconnect without", 40, nil, 41, nil, false},
		{"CoA with EAP in the reply", 43, nil, 44, []pair{eap, ma}, true},
	} {
		got := clientSees(t, assemble(c.code, 7, authenticator(1), c.request...), assemble(c.answer, 200, nil, c.reply...))
		if has := len(got) > 0 && got[0].t == 80; has != c.messageAuthent || len(only(got, 80)) > 1 || has != (len(only(got, 80)) == 1) {
			t.Errorf("%s: expected a Message-Authenticator, first: %t; got %v", c.what, c.messageAuthent, got)
		}
		if c.answer == 5 && len(only(got, 79)) != 0 {
			t.Errorf("%s: expected no EAP-Message, got %v", c.what, got)
		}
	}
}

// RFC 2865 §5.24, RFC 2866 §2.1, RFC 2548, RFC 3579 §3.1
// Rules: P7, P10, P11, P14, P44, P73, P92
func TestWriteReplyLeavesTheRestAlone(t *testing.T) {
	list := []pair{
		{24, []byte("\x00state")}, {25, []byte("class")}, {1, []byte("billing@example.org")}, {101, []byte{0, 0, 1, 0xfb}},
		{79, []byte("a")}, {79, []byte("b")}, {79, nil}, {18, []byte("text")}, {25, []byte("class two")},
		vsa(311, sub(26, make([]byte, 40))...), {245, []byte("\x01\x80fragment")}, {245, []byte("\x01\x00end")}, {250, []byte("?")}, {26, nil},
	}
	for request, answers := range map[Code][]Code{1: {2, 3, 11}, 4: {5}, 40: {41, 42}, 43: {44, 45}} {
		for _, answer := range answers {
			got := clientSees(t, assemble(request, 7, authenticator(1)), assemble(answer, 200, nil, list...))
			want := list
			if answer == 5 {
				want = without(list, 79) // see TestWriteReplyMessageAuthenticator
			}
			samePairs(t, answer.String(), want, without(got, 80))
		}
	}
}

// RFC 2868 §3.5: an accept whose keys cannot be decrypted is refused; other codes
// have nothing to lose.
// Rules: P8, P40
func TestWriteReplyHiddenThatDoesNotDecrypt(t *testing.T) {
	ra := [16]byte(authenticator(90))
	request := parsed(t, assemble(1, 7, authenticator(1)))
	withLength := func(n byte) []byte { // two blocks, 31 octets may follow the length octet
		plain := make([]byte, 32)
		plain[0] = n
		salt := []byte{0x80, 1}
		first := xor(plain[:16], md5Of([]byte("server's"), ra[:], salt))
		return append(append(salt, first...), xor(plain[16:], md5Of([]byte("server's"), first))...)
	}
	for _, c := range []struct {
		what string
		code Code
		p    pair
		want error
	}{
		{"Tunnel-Password, length 31", radius.CodeAccessAccept, pair{69, append([]byte{0}, withLength(31)...)}, nil},
		{"Tunnel-Password, length 32", radius.CodeAccessAccept, pair{69, append([]byte{0}, withLength(32)...)}, ErrHidden},
		{"MPPE key, length 0", radius.CodeAccessAccept, vsa(311, sub(16, withLength(0))...), nil},
		{"MPPE key, length 255", radius.CodeAccessAccept, vsa(311, sub(17, withLength(255))...), ErrHidden},
		{"UBNT TLV, length 255", radius.CodeAccessAccept, vsa(41112, sub(5, sub(2, withLength(255)))...), ErrHidden},
		{"in a challenge", radius.CodeAccessChallenge, pair{69, append([]byte{0}, withLength(32)...)}, nil},
		{"not whole blocks", radius.CodeAccessAccept, pair{69, withLength(32)}, nil},
	} {
		reply := parsed(t, assemble(c.code, 200, nil, c.p))
		_, err := NewHasher().WriteReply(make([]byte, MaxLength), reply, request, &ra, serverSecret(t, "server's"), radSecSecret())
		if err != c.want {
			t.Errorf("%s: expected %v, got %v", c.what, c.want, err)
		}
	}
}

// Rules: P15, P99
func TestWriteReplyTooLong(t *testing.T) {
	ra := [16]byte(authenticator(90))
	full := make([]pair, 15)
	for i := range full {
		full[i] = pair{18, make([]byte, 253)}
	}
	reply := parsed(t, assemble(2, 200, nil, full...)) // 3845 octets; 251 left, 233 after the MA
	for n, want := range map[int]error{231: nil, 232: ErrTooLong} {
		request := parsed(t, assemble(1, 7, authenticator(1), pair{33, make([]byte, n)}))
		_, err := NewHasher().WriteReply(make([]byte, MaxLength), reply, request, &ra, serverSecret(t, "s"), radSecSecret())
		if err != want {
			t.Errorf("Proxy-State of %d octets: expected %v, got %v", n, want, err)
		}
	}
	longest := parsed(t, assemble(2, 200, nil, append(full, pair{18, make([]byte, 249)})...))
	if _, err := NewHasher().WriteReply(make([]byte, MaxLength), longest, parsed(t, assemble(1, 7, nil)), &ra, serverSecret(t, "s"), radSecSecret()); err != ErrTooLong {
		t.Errorf("a reply of 4096 octets without MA: expected ErrTooLong, got %v", err)
	}
}

// Rules: P21
func TestWriteReplyKeepsItsSources(t *testing.T) {
	all := vectors(t)
	reply, request := parsed(t, all["D3"]), parsed(t, all["D1"])
	ra := [16]byte(all["D2"][4:20])
	before := [][]byte{bytes.Clone(reply.Packet), bytes.Clone(request.Packet), bytes.Clone(ra[:])}
	if _, err := NewHasher().WriteReply(make([]byte, MaxLength), reply, request, &ra, serverSecret(t, "xyzzy5461"), radSecSecret()); err != nil {
		t.Fatal(err)
	}
	for i, now := range [][]byte{reply.Packet, request.Packet, ra[:]} {
		if !bytes.Equal(before[i], now) {
			t.Errorf("source %d was altered", i)
		}
	}
}

// Whatever Proxy-State a server returns, none, its own or the very octets that the
// client has sent, which it cannot know, once or twice or in another order: the
// client's copy is the same, octet by octet. Whatever the client sends, the
// server's copy is the same but for what is random.
//
// RFC 2865 §5.33
// Rules: P30, P32, P33
func TestProxyStateHasNoEffect(t *testing.T) {
	h, client, server := NewHasher(), radSecSecret(), serverSecret(t, "server's")
	ra, sent := authenticator(1), [16]byte(authenticator(90))
	one, two, empty := pair{33, []byte("one")}, pair{33, []byte("two")}, pair{33, nil}
	name, text := pair{1, []byte("nemo")}, pair{18, []byte("hello")}
	states := [][]pair{nil, {one}, {two}, {one, two}, {two, one}, {one, one, two, two}, {empty}, {{33, make([]byte, 253)}}}
	read := map[string]func(testing.TB, []byte) *View{
		"RADIUS/1.0": parsed,
		"RADIUS/1.1": parsed11,
	}
	for version, parse := range read {
		for code, answer := range map[Code]Code{1: 2, 4: 5, 40: 41, 43: 45} {
			request := parse(t, assemble(code, 7, ra, one, name, two))
			var first []byte
			for _, own := range states {
				dst := make([]byte, MaxLength)
				reply := parsed(t, assemble(answer, 200, nil, append(append([]pair{}, own...), text)...))
				n, err := h.WriteReply(dst, reply, request, &sent, server, client)
				if err != nil {
					t.Fatal(err)
				}
				samePairs(t, version+": the client's copy", []pair{text, one, two}, without(pairs(dst[:n]), 80))
				if first == nil {
					first = dst[:n]
				}
				if !bytes.Equal(first, dst[:n]) {
					t.Errorf("%s, code %d: with the server's Proxy-State %v the client's copy is % x, expected % x", version, answer, own, dst[:n], first)
				}
			}
			for _, theirs := range states {
				dst := make([]byte, MaxLength)
				n, err := h.WriteRequest(dst, parse(t, assemble(code, 7, ra, append(append([]pair{}, theirs...), name)...)), client, server, 9)
				if err != nil {
					t.Fatal(err)
				}
				samePairs(t, version+": the server's copy", []pair{name}, without(pairs(dst[:n]), 80))
			}
		}
	}
}
