package wire

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// seed adds every vector, its attributes wrapped in an Access-Accept where it
// is not a packet.
func seed(f *testing.F) {
	for name, b := range vectors(f) {
		if strings.HasPrefix(name, "6929") || strings.HasPrefix(name, "fr-tunnel") {
			b = append(assemble(2, 1, nil), b...)
			b[2], b[3] = byte(len(b)>>8), byte(len(b))
		}
		f.Add(b)
	}
	f.Add(assemble(2, 1, nil, splitWiMAX(5, make([]byte, 210), 100, 0, 50)...))
	f.Add(assemble(1, 1, nil, splitWiMAX(86, sub(3, make([]byte, 18)), 7)...))
	key := salted(f, make([]byte, 30), 0x8001, "xyzzy5461", authenticator(90))
	part := splitWiMAX(5, key, 7, 9)
	f.Add(assemble(2, 1, nil, part[0], pair{18, []byte("between")}, part[1], wimaxPart(10, true, nil), part[2]))
	f.Add(assemble(2, 1, nil, part[0], vsa(wimax, 5, 9, 0x80), part[1], part[2]))
	f.Add(assemble(2, 1, nil, vsa(9, sub(1, append([]byte("leap:session-key="), key...))...), vsa(9, append(sub(17, key), sub(18, key)...)...), vsa(9, 1, 99, 'l')))
	f.Add(assemble(2, 1, nil, pair{241, []byte{3, 0, 0, 16, 0}}, vsa(41112, 5, 2), vsa(wimax, 86, 3, 0), vsa(311, 17, 99, 1)))
	f.Add(assemble(5, 1, nil, pair{79, []byte{3, 1, 0, 4}}, ma))
	f.Add(assemble(1, 1, nil, pair{2, make([]byte, 17)}, pair{3, nil}, pair{70, nil}, vsa(4846, append([]byte{0, 215, 19}, make([]byte, 16)...)...)))
}

// framed returns whether the oracle finds b well framed.
func framed(b []byte) bool {
	if len(b) < 20 || len(b) > 4096 || int(b[2])<<8|int(b[3]) != len(b) {
		return false
	}
	i := 20
	for i+1 < len(b) && b[i+1] >= 2 {
		i += int(b[i+1])
	}
	return i == len(b)
}

// Rules: P1, P3
func FuzzCut(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := Cut(b)
		if err != nil && n != 0 || n != 0 && (n < MinLength || n > MaxLength || n > len(b)) {
			t.Fatalf("Cut returned %d, %v for %d octets", n, err, len(b))
		}
		if err == nil && n == 0 && len(b) >= MaxLength {
			t.Fatalf("%d octets ought to hold a packet", len(b))
		}
		for short := range min(len(b), 64) { // what is decided early stays decided
			if m, early := Cut(b[:short]); m != 0 && m != n || early != nil && err == nil {
				t.Fatalf("%d octets: %d, %v; all of them: %d, %v", short, m, early, n, err)
			}
		}
	})
}

// Rules: P5, P7, P8
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		v := new(View)
		if err := v.Parse(b); (err == nil) != framed(b) {
			t.Fatalf("framed is %v, Parse says %v", framed(b), err)
		} else if err != nil {
			_ = err.Error()
			return
		}
		for _, c := range []struct {
			t   byte
			got []byte
		}{
			{1, v.UserName()}, {126, v.OperatorName()}, {24, v.State()}, {31, v.CallingStationID()}, {32, v.NASIdentifier()}, {4, v.NASIPAddress()},
		} {
			if want := only(pairs(b), c.t); (len(want) == 0) != (c.got == nil) || len(want) > 0 && !bytes.Equal(want[0].value, c.got) {
				t.Fatalf("attribute %d: the walk finds %v, the view % x", c.t, want, c.got)
			}
		}
		v.EAPIdentifier()
		v.EventTimestamp()
		v.OriginalCode()
		ra := [16]byte{1}
		secret := serverSecret(t, "k")
		if n := len(Reveal(v, &ra, secret)); n == 0 && len(b) > 20 {
			t.Fatal("attributes are there, none is revealed")
		}
		h := NewHasher()
		h.VerifyRequest(v, radSecSecret(), RequestPolicy{})
		h.VerifyReply(v, 1, &ra, secret, false)
	})
}

// sameInClear fails the test unless two packets hold the same attributes once
// each is opened under its own hop.
func sameInClear(t *testing.T, want, got []Attribute) {
	t.Helper()
	for i := 0; i < max(len(want), len(got)); i++ {
		if i >= len(want) || i >= len(got) {
			t.Fatalf("expected %d attributes, got %d\nwant %+v\ngot  %+v", len(want), len(got), want, got)
		}
		w, g := want[i], got[i]
		// A sealed value is nonsense on both sides, but may have been
		// re-encrypted: then only its length can be compared.
		if w.Type != g.Type || w.Name != g.Name || w.Sealed != g.Sealed || w.Tag != g.Tag || len(w.Value) != len(g.Value) || !w.Sealed && !bytes.Equal(w.Value, g.Value) {
			t.Fatalf("attribute %d: expected %+v, got %+v", i, w, g)
		}
	}
}

// endToEnd returns a packet with only the attributes that are relayed.
func endToEnd(t *testing.T, packet []byte) *View {
	t.Helper()
	kept := slices.DeleteFunc(without(pairs(packet), 33, 80), func(p pair) bool {
		n := len(p.value)
		switch p.t {
		case 2: // beside EAP-Message, and no password
			return packet[0] == 1 && len(only(pairs(packet), 79)) > 0 && (n < 16 || n > 128 || n%16 != 0)
		case 79: // in accounting
			return packet[0] == 4 || packet[0] == 5
		case 241: // Response-Length
			return n > 0 && p.value[0] == 3
		}
		return false
	})
	return parsed(t, assemble(Code(packet[0]), packet[1], packet[4:20], kept...))
}

// A request is written for a server, and from there for a second server, which shares the
// client's secret: its hidden values are the same at the end.
// Rules: P8, P10, P15, P35, P38, P42
func FuzzRewriteRequest(f *testing.F) {
	seed(f)
	h, client, server := NewHasher(), radSecSecret(), serverSecret(f, "xyzzy5461")
	next, home := clientSecret(f, "xyzzy5461"), serverSecret(f, "radsec")
	f.Fuzz(func(t *testing.T, b []byte) {
		if !framed(b) {
			return
		}
		v := parsed(t, b)
		there, again := make([]byte, MaxLength), make([]byte, MaxLength)
		n, err := h.WriteRequest(there, v, client, server, 1)
		if err != nil {
			return
		}
		seen := parsed(t, there[:n])
		oracleChecks(t, there[:n], nil, "xyzzy5461")
		sent := Reveal(endToEnd(t, b), v.Authenticator(), home)
		if list := pairs(b); b[0] == 1 && len(only(list, 3)) > 0 && len(only(list, 60))+len(only(list, 70)) == 0 {
			sent = append(sent, Attribute{Type: 60, Name: "CHAP-Challenge", Value: b[4:20]})
		}
		sameInClear(t, sent, Reveal(endToEnd(t, there[:n]), seen.Authenticator(), server))
		if n, err = h.WriteRequest(again, seen, next, home, 2); err != nil {
			t.Fatalf("the server's copy cannot be forwarded: %v", err)
		}
		last := parsed(t, again[:n])
		sameInClear(t, sent, Reveal(endToEnd(t, again[:n]), last.Authenticator(), home))
	})
}

// A reply goes to the client, and on to a second client.
// Rules: P8, P10, P15, P30, P38, P40, P42
func FuzzRewriteReply(f *testing.F) {
	seed(f)
	h, client, server := NewHasher(), radSecSecret(), serverSecret(f, "xyzzy5461")
	home := serverSecret(f, "radsec")
	request := parsed(f, assemble(1, 7, authenticator(1), pair{33, []byte("ps")}))
	ra, second := [16]byte(authenticator(90)), [16]byte(authenticator(1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !framed(b) {
			return
		}
		b[0] = []byte{2, 3, 11}[int(b[0])%3]
		v := parsed(t, b)
		there, again := make([]byte, MaxLength), make([]byte, MaxLength)
		n, err := h.WriteReply(there, v, request, &ra, server, client)
		if err != nil {
			return
		}
		seen := parsed(t, there[:n])
		oracleChecks(t, there[:n], second[:], "radsec")
		samePairs(t, "Proxy-State", []pair{{33, []byte("ps")}}, only(pairs(there[:n]), 33))
		sent := Reveal(endToEnd(t, b), &ra, server)
		sameInClear(t, sent, Reveal(endToEnd(t, there[:n]), &second, home))
		if n, err = h.WriteReply(again, seen, request, &second, home, client); err != nil {
			t.Fatalf("the client's copy cannot be forwarded: %v", err)
		}
		sameInClear(t, sent, Reveal(endToEnd(t, again[:n]), &second, home))
	})
}

// A packet of the fuzzer's making, queued among good ones, as request and as
// reply: results are those of a Hasher, and what is written is signed.
// Rules: P18, P20, P21, P25, P47
func FuzzDigests(f *testing.F) {
	seed(f)
	h, d, client, server := NewHasher(), NewDigests(), radSecSecret(), serverSecret(f, "xyzzy5461")
	ra := [16]byte(authenticator(90))
	request := parsed(f, oracleSign(assemble(1, 7, authenticator(1), ma, pair{33, []byte("ps")}), nil, "radsec"))
	accounting := parsed(f, oracleSign(assemble(4, 7, nil, pair{1, make([]byte, 100)}), nil, "radsec"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !framed(b) {
			return
		}
		v := parsed(t, b)
		items := []batchItem{
			verified(func() error { return nil }, func(d *Digests) (Ticket, error) { return d.VerifyRequest(request, client, everyCheck) }),
			verified(func() error { return h.VerifyRequest(v, client, everyCheck) },
				func(d *Digests) (Ticket, error) { return d.VerifyRequest(v, client, everyCheck) }),
			written(nil, "xyzzy5461", func(d *Digests, dst []byte) (int, error) { return d.WriteRequest(dst, v, client, server, 1) }),
			written(accounting.Packet[4:20], "radsec", func(d *Digests, dst []byte) (int, error) {
				return d.WriteReply(dst, v, accounting, &ra, server, client)
			}),
			verified(func() error { return nil }, func(d *Digests) (Ticket, error) { return d.VerifyRequest(accounting, client, everyCheck) }),
			verified(func() error { return h.VerifyReply(v, 4, &ra, server, true) },
				func(d *Digests) (Ticket, error) { return d.VerifyReply(v, 4, &ra, server, true) }),
			written(nil, "xyzzy5461", func(d *Digests, dst []byte) (int, error) { return d.WriteRequest(dst, request, client, server, 1) }),
		}
		refused := make([]bool, len(items))
		for i := range items {
			refused[i] = items[i].queue(d) != nil
		}
		d.Run()
		for i := range items {
			if written := i == 2 || i == 3; !written || !refused[i] {
				items[i].check(t, fmt.Sprint("item ", i), d)
			}
		}
	})
}

// A request in clear is written for the server, and its copy, as a reply of the server,
// is written back: the values in both forms are the same, whatever the fuzzer changes.
// Rules: P8, P10, P15, P126, P127
func FuzzRewriteRequest11(f *testing.F) {
	seed(f)
	for _, c := range values11() {
		f.Add(assemble11(1, 9, c.clear))
	}
	h, client, server := NewHasher(), radSecSecret(), serverSecret(f, key11)
	f.Fuzz(func(t *testing.T, b []byte) {
		v, there := new(View), make([]byte, MaxLength)
		if v.Parse11(b) != nil {
			return
		}
		n, err := h.WriteRequest(there, v, client, server, 1)
		if err != nil {
			return
		}
		oracleChecks(t, there[:n], nil, key11)
		if len(only(pairs(there[:n]), 33)) != 0 {
			t.Fatal("Proxy-State goes to the server")
		}
		vector := [16]byte(there[4:20])
		if KindOf(v.Code()) != KindAccess {
			vector = [16]byte{}
		}
		for _, a := range Reveal(parsed(t, there[:n]), &vector, server) {
			if a.Sealed {
				t.Fatalf("%s cannot be opened by the server", a.Name)
			}
		}
		back, again := make([]byte, MaxLength), make([]byte, MaxLength)
		seen := parsed(t, there[:n])
		there[0] = 2 // as an Access-Accept, which fails when a value cannot be read
		n, err = h.WriteReply(back, seen, parsed11(t, assemble11(1, 9)), &vector, server, client)
		if err != nil {
			t.Fatalf("what was hidden cannot be opened: %v", err)
		}
		wellMade11(t, back[:n], 2, 9)
		// Once more there and back: nothing changes any more.
		back[0] = 40
		n, err = h.WriteRequest(there, parsed11(t, back[:n]), client, server, 2)
		if v.Kind() == KindAccounting && errors.Is(err, ErrTooLong) {
			return // only now it has a Message-Authenticator
		}
		if err != nil {
			t.Fatalf("what was opened cannot be hidden: %v", err)
		}
		zero := [16]byte{}
		seen = parsed(t, there[:n])
		there[0] = 2
		m, err := h.WriteReply(again, seen, parsed11(t, assemble11(1, 9)), &zero, server, client)
		if err != nil || !bytes.Equal(again[20:m], back[20:m]) {
			t.Fatalf("%v; expected\n% x, got\n% x", err, back[20:], again[20:m])
		}
	})
}

// From a reply by the fuzzer a packet of RADIUS/1.1 is written, with exactly the client's
// Proxy-State.
// Rules: P8, P30, P40, P127
func FuzzRewriteReply11(f *testing.F) {
	seed(f)
	ra := [16]byte(authenticator(90))
	for _, c := range values11() {
		f.Add(assemble(2, 9, nil, c.hide(f, ra[:])))
	}
	h, client, server := NewHasher(), radSecSecret(), serverSecret(f, key11)
	request := parsed11(f, assemble11(1, 9, pair{33, []byte("ps")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !framed(b) {
			return
		}
		b[0] = []byte{2, 3, 11, 44}[int(b[0])%4]
		dst := make([]byte, MaxLength)
		n, err := h.WriteReply(dst, parsed(t, b), request, &ra, server, client)
		if err != nil {
			if b[0] != 2 && !errors.Is(err, ErrTooLong) {
				t.Fatalf("code %d fails: %v", b[0], err)
			}
			return
		}
		wellMade11(t, dst[:n], Code(b[0]), 9)
		samePairs(t, "Proxy-State", []pair{{33, []byte("ps")}}, only(pairs(dst[:n]), 33))
	})
}
