package wire

import (
	"bytes"
	"errors"
	"testing"
)

// A request in clear goes to the server, and its copy as a reply of the server's
// comes back the same: what it holds is read out of both forms alike, whatever
// the fuzzer makes of it.
// Rules: P8, P10, P15, P126, P127
func FuzzRewriteRequest11(f *testing.F) {
	seed(f)
	for _, c := range values11() {
		f.Add(assemble11(1, 9, c.clear))
	}
	h, client, server := NewHasher(), RadSecSecret(), serverSecret(f, key11)
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

// Replies of the fuzzer's making: what comes out is a packet of RADIUS/1.1 with
// exactly the client's Proxy-State.
// Rules: P8, P30, P40, P127
func FuzzRewriteReply11(f *testing.F) {
	seed(f)
	ra := [16]byte(authenticator(90))
	for _, c := range values11() {
		f.Add(assemble(2, 9, nil, c.hide(f, ra[:])))
	}
	h, client, server := NewHasher(), RadSecSecret(), serverSecret(f, key11)
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
