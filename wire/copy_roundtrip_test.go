package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"layeh.com/radius"
)

// secretPair is one attribute as its ends understand it: in clear, and how to
// hide it for a hop.
type secretPair struct {
	plain pair                                             // the type, and what an end reads out of it
	hide  func(t testing.TB, key string, ra []byte) []byte // nil: unchanged
	read  func(t testing.TB, value []byte, key string, ra []byte) []byte
}

// maker draws an attribute. salt is one that may be used, salt^1 another.
type maker func(r *rand.Rand, salt uint16) secretPair

// someOctets returns 1 to most octets, none of them zero.
func someOctets(r *rand.Rand, most int) []byte {
	b := make([]byte, r.IntN(most)+1)
	for i := range b {
		b[i] = byte(r.IntN(255) + 1)
	}
	return b
}

// randomPair draws an attribute, hidden ones often.
func randomPair(r *rand.Rand) secretPair {
	makers := []maker{passwordPair, tunnelPair, mppePair, chapKeysPair, ascendPair, tlvPair, leapPair, openVendorPair, openPair, openPair}
	return makers[r.IntN(len(makers))](r, uint16(r.IntN(0x8000))|0x8000)
}

// passwordPair: User-Password: whole blocks, as they come.
func passwordPair(r *rand.Rand, _ uint16) secretPair {
	plain := append(someOctets(r, 100), 0)
	plain = append(plain, make([]byte, 16-len(plain)%16)...)
	return secretPair{pair{2, plain},
		func(t testing.TB, key string, ra []byte) []byte { return hidePassword(plain, key, ra) },
		func(t testing.TB, v []byte, key string, ra []byte) []byte { return revealPassword(v, key, ra) }}
}

// tunnelPair: Tunnel-Password: tag, salt.
func tunnelPair(r *rand.Rand, salt uint16) secretPair {
	tag, plain := byte(r.IntN(256)), someOctets(r, 200)
	return secretPair{pair{69, append([]byte{tag}, plain...)},
		func(t testing.TB, key string, ra []byte) []byte {
			return append([]byte{tag}, salted(t, plain, salt, key, ra)...)
		},
		func(t testing.TB, v []byte, key string, ra []byte) []byte {
			return append([]byte{v[0]}, unsalted(t, v[1:], key, ra)...)
		}}
}

// mppePair: MS-MPPE keys, between them in one Vendor-Specific something open.
func mppePair(r *rand.Rand, salt uint16) secretPair {
	a, b, open := someOctets(r, 60), someOctets(r, 60), someOctets(r, 20)
	return secretPair{vsa(311, bytes.Join([][]byte{a, open, b}, nil)...),
		func(t testing.TB, key string, ra []byte) []byte {
			return vsa(311, bytes.Join([][]byte{sub(16, salted(t, a, salt, key, ra)), sub(25, open), sub(17, salted(t, b, salt^1, key, ra))}, nil)...).value
		},
		func(t testing.TB, v []byte, key string, ra []byte) []byte {
			out := bytes.Clone(v[:4])
			for v = v[4:]; len(v) > 0; v = v[v[1]:] {
				if value := v[2:v[1]]; v[0] == 25 {
					out = append(out, value...)
				} else {
					out = append(out, unsalted(t, value, key, ra)...)
				}
			}
			return out
		}}
}

// chapKeysPair: MS-CHAP-MPPE-Keys: two blocks by the User-Password method.
func chapKeysPair(r *rand.Rand, _ uint16) secretPair {
	plain := append(authenticator(byte(r.IntN(256))), authenticator(byte(r.IntN(256)))...)
	return secretPair{vsa(311, plain...),
		func(t testing.TB, key string, ra []byte) []byte {
			return vsa(311, sub(12, hidePassword(plain, key, ra))...).value
		},
		func(t testing.TB, v []byte, key string, ra []byte) []byte {
			return append(bytes.Clone(v[:4]), revealPassword(v[6:], key, ra)...)
		}}
}

// ascendPair: Ascend secret, in the vendor's space and Lucent's two-octet one.
func ascendPair(r *rand.Rand, _ uint16) secretPair {
	plain, lucent := authenticator(byte(r.IntN(256))), r.IntN(2) == 0
	vendor, head := uint32(529), []byte{214, 18}
	if lucent {
		vendor, head = 4846, []byte{0, 214, 19}
	}
	other := func(t testing.TB, v []byte, key string, ra []byte) []byte {
		body := v[4+len(head):]
		return append(bytes.Clone(v[:4+len(head)]), xor(body, md5Of(ra, []byte(key)))...)
	}
	clearText := vsa(vendor, append(head, plain...)...)
	return secretPair{clearText, func(t testing.TB, key string, ra []byte) []byte {
		return other(t, clearText.value, key, ra)
	}, other}
}

// tlvPair: a TLV inside UBNT's attribute 5.
func tlvPair(r *rand.Rand, salt uint16) secretPair {
	plain, open := someOctets(r, 40), someOctets(r, 20)
	return secretPair{vsa(41112, append(bytes.Clone(open), plain...)...),
		func(t testing.TB, key string, ra []byte) []byte {
			return vsa(41112, sub(5, append(sub(1, open), sub(2, salted(t, plain, salt, key, ra))...))...).value
		},
		func(t testing.TB, v []byte, key string, ra []byte) []byte {
			tlvs := v[6:]
			n := tlvs[1]
			return bytes.Join([][]byte{v[:4], tlvs[2:n], unsalted(t, tlvs[n+2:], key, ra)}, nil)
		}}
}

// leapPair: the session key of LEAP, after its text in a Cisco-AVPair.
func leapPair(r *rand.Rand, salt uint16) secretPair {
	key := someOctets(r, 30)
	return secretPair{vsa(9, append([]byte("leap:session-key="), key...)...),
		func(t testing.TB, secret string, ra []byte) []byte {
			return vsa(9, sub(1, append([]byte("leap:session-key="), salted(t, key, salt, secret, ra)...))...).value
		},
		func(t testing.TB, v []byte, secret string, ra []byte) []byte {
			return bytes.Join([][]byte{v[:4], v[6:23], unsalted(t, v[23:], secret, ra)}, nil)
		}}
}

// openVendorPair: a vendor that hides nothing, layout unknown.
func openVendorPair(r *rand.Rand, _ uint16) secretPair {
	return secretPair{plain: vsa(10415, someOctets(r, 100)...)}
}

// openPair: an attribute that is not hidden and that no hop touches.
func openPair(r *rand.Rand, _ uint16) secretPair {
	for {
		t := byte(r.IntN(255) + 1)
		if standardRules[t] == 0 && t != 26 && t != 33 && t != 80 && t != 3 && t != 70 && t != 79 && t != 241 {
			return secretPair{plain: pair{t, someOctets(r, 60)}}
		}
	}
}

// hideAll builds the list for a hop, readAll takes it apart again.
func hideAll(t testing.TB, list []secretPair, key string, ra []byte) (out []pair) {
	for _, p := range list {
		value := p.plain.value
		if p.hide != nil {
			value = p.hide(t, key, ra)
		}
		out = append(out, pair{p.plain.t, value})
	}
	return out
}

func readAll(t *testing.T, what string, list []secretPair, got []pair, key string, ra []byte) {
	t.Helper()
	if len(got) != len(list) {
		t.Fatalf("%s: expected %d attributes, got %d", what, len(list), len(got))
	}
	for i, p := range list {
		value := got[i].value
		if p.read != nil {
			value = p.read(t, value, key, ra)
		}
		if got[i].t != p.plain.t || !bytes.Equal(value, p.plain.value) {
			t.Fatalf("%s: attribute %d: expected %d % x, got %d % x", what, i, p.plain.t, p.plain.value, got[i].t, value)
		}
	}
}

func randomList(r *rand.Rand) (list []secretPair) {
	for range r.IntN(9) {
		list = append(list, randomPair(r))
	}
	return list
}

// exchange is one random exchange: what the two hops share, and the packets.
type exchange struct {
	name                 string // seed and round, for the report
	r                    *rand.Rand
	h                    *Hasher
	clientKey, serverKey string
	client               *ClientSecret
	server               *ServerSecret

	code     Code
	hasMA    bool   // the client's request has a Message-Authenticator
	states   []pair // its Proxy-State
	request  *View
	serverRA [16]byte // what the server's copy was sent with
}

// Random requests go to the server and random replies come back; the ends, the
// oracle, read what the other end wrote, in its order, and nothing else.
// Rules: P10, P13, P14, P18, P21, P22, P23, P30, P32, P33, P35, P38, P39, P41, P42, P43, P45, P46, P50, C5
func TestRoundTrip(t *testing.T) {
	h, seed := NewHasher(), rand.Uint64()
	for round := range 3000 {
		r := rand.New(rand.NewPCG(seed, uint64(round)))
		x := &exchange{name: fmt.Sprintf("seed %d round %d", seed, round), r: r, h: h, clientKey: "radsec"}
		x.serverKey = fmt.Sprintf("secret-%0*d", r.IntN(80), r.IntN(99))
		x.client, x.server = clientSecret(t, x.clientKey), serverSecret(t, x.serverKey)
		x.code, x.hasMA = []Code{1, 4, 40, 43}[r.IntN(4)], r.IntN(2) == 0
		if x.there(t, byte(round)) {
			x.back(t, byte(round))
		}
	}
}

// there sends a random request to the server; false when it was too long
// to be one.
func (x *exchange) there(t *testing.T, id byte) bool {
	vector := make([]byte, 16)
	if x.code == 1 {
		vector = authenticator(byte(x.r.IntN(256)))
	}
	list := randomList(x.r)
	sent := hideAll(t, list, x.clientKey, vector)
	for i := range x.r.IntN(3) { // Proxy-State here and there, in order
		state := pair{33, []byte{byte(i), 0, 'p'}}
		x.states = append(x.states, state)
		sent = slices.Insert(sent, max(x.r.IntN(len(sent)+1), lastOf(sent, 33)+1), state)
	}
	if x.hasMA {
		sent = slices.Insert(sent, x.r.IntN(len(sent)+1), pair{80, make([]byte, 16)})
	}
	request := assemble(x.code, byte(x.r.IntN(256)), vector, sent...)
	if len(request) > 3800 {
		return false
	}
	x.request = parsed(t, oracleSign(request, nil, x.clientKey))
	if err := x.h.VerifyRequest(x.request, x.client, everyCheck); err != nil {
		t.Fatalf("%s: request does not verify: %v", x.name, err)
	}

	dst := dirty(x.r)
	n, err := x.h.WriteRequest(dst, x.request, x.client, x.server, ServerID(id))
	if err != nil {
		t.Fatalf("%s: WriteRequest: %v", x.name, err)
	}
	oracleChecks(t, dst[:n], nil, x.serverKey)
	got := pairs(dst[:n])
	if wantMA := x.code == 1 || x.hasMA && x.code != 4; wantMA != (len(only(got, 80)) == 1) || wantMA && got[0].t != 80 {
		t.Fatalf("%s: code %d, client's MA %v: Message-Authenticator is wrong in %v", x.name, x.code, x.hasMA, got)
	}
	if dst[0] != byte(x.code) || dst[1] != id {
		t.Fatalf("%s: header is wrong: % x", x.name, dst[:4])
	}
	x.serverRA = [16]byte(dst[4:20])
	serverVector := make([]byte, 16)
	if x.code == 1 {
		serverVector = x.serverRA[:]
		if bytes.Equal(serverVector, vector) {
			t.Fatalf("%s: the authenticator is the client's", x.name)
		}
	}
	readAll(t, x.name+": server", list, without(got, 80), x.serverKey, serverVector)
	return true
}

// back sends a random reply, with Proxy-State of the server's making.
func (x *exchange) back(t *testing.T, id byte) {
	answers := map[Code][]Code{1: {2, 3, 11}, 4: {5}, 40: {41, 42}, 43: {44, 45}}[x.code]
	list := randomList(x.r)
	sent := append(hideAll(t, list, x.serverKey, x.serverRA[:]), pair{33, []byte("server's")})
	if x.r.IntN(2) == 0 {
		sent = append(sent, pair{80, make([]byte, 16)})
	}
	b := assemble(answers[x.r.IntN(len(answers))], id, nil, sent...)
	if len(b) > 3800 {
		return
	}
	reply := parsed(t, oracleSign(b, x.serverRA[:], x.serverKey))
	if err := x.h.VerifyReply(reply, x.code, &x.serverRA, x.server, false); err != nil {
		t.Fatalf("%s: reply does not verify: %v", x.name, err)
	}
	dst := dirty(x.r)
	n, err := x.h.WriteReply(dst, reply, x.request, &x.serverRA, x.server, x.client)
	if err != nil {
		t.Fatalf("%s: WriteReply: %v", x.name, err)
	}
	clientRA := x.request.Authenticator()[:]
	oracleChecks(t, dst[:n], clientRA, x.clientKey)
	got := pairs(dst[:n])
	if wantMA := x.code == 1 || x.hasMA && x.code != 4; wantMA != (len(only(got, 80)) == 1) || wantMA && got[0].t != 80 {
		t.Fatalf("%s: reply to code %d, client's MA %v: Message-Authenticator is wrong in %v", x.name, x.code, x.hasMA, got)
	}
	if dst[0] != b[0] || dst[1] != x.request.Identifier() {
		t.Fatalf("%s: the client's header is wrong: % x", x.name, dst[:4])
	}
	samePairs(t, x.name+": Proxy-State", x.states, only(got, 33))
	readAll(t, x.name+": client", list, without(got, 33, 80), x.clientKey, clientRA)
	checkSalts(t, x.name, dst[:n])
}

func lastOf(list []pair, t byte) int {
	last := -1
	for i, p := range list {
		if p.t == t {
			last = i
		}
	}
	return last
}

// dirty returns a buffer that held something else before.
func dirty(r *rand.Rand) []byte {
	b := make([]byte, MaxLength)
	for i := range b {
		b[i] = byte(r.IntN(256))
	}
	return b
}

// checkSalts fails the test unless all salts have their top bit and differ
// (RFC 2868 §3.5).
func checkSalts(t *testing.T, name string, packet []byte) {
	t.Helper()
	seen := map[[2]byte]bool{}
	note := func(salt []byte) {
		s := [2]byte(salt)
		if s[0]&0x80 == 0 || seen[s] {
			t.Fatalf("%s: salt % x is used twice or lacks its top bit", name, s)
		}
		seen[s] = true
	}
	for _, p := range pairs(packet) {
		switch {
		case p.t == 69:
			note(p.value[1:3])
		case p.t == 26 && bytes.HasPrefix(p.value, []byte{0, 0, 1, 55}):
			for v := p.value[4:]; len(v) > 0; v = v[v[1]:] {
				if v[0] == 16 || v[0] == 17 {
					note(v[2:4])
				}
			}
		case p.t == 26 && bytes.HasPrefix(p.value, []byte{0, 0, 0, 9, 1}):
			note(p.value[23:25])
		}
	}
}

// A packet full of salted values: every salt differs, whatever the start.
// Rules: P39
func TestSaltsAreUniqueInAPacket(t *testing.T) {
	list := []pair{}
	ra := [16]byte(authenticator(1))
	for i := range 190 {
		list = append(list, pair{69, append([]byte{0}, salted(t, []byte("x"), 0x8000|uint16(i%3), "s", ra[:])...)})
	}
	reply := parsed(t, assemble(radius.CodeAccessAccept, 1, nil, list...))
	request := parsed(t, assemble(1, 1, authenticator(9)))
	dst := make([]byte, MaxLength)
	h := NewHasher()
	for i := range 50 {
		n, err := h.WriteReply(dst, reply, request, &ra, serverSecret(t, "s"), radSecSecret())
		if err != nil {
			t.Fatal(err)
		}
		checkSalts(t, fmt.Sprint("packet ", i), dst[:n])
	}
}
