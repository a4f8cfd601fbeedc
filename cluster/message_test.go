package cluster

import (
	"bytes"
	"slices"
	"testing"
)

// What is written is read again, and nothing of another length or version is.
//
// Rules: GW5, GW6
func TestMessages(t *testing.T) {
	from, marker := ReplicaID{1, 2, 15: 3}, MarkerID{4, 7: 5}
	m := appendMarker(nil, from, marker)
	if f, got, err := parseMarker(m); err != nil || f != from || got != marker {
		t.Errorf("got %v, %v and %v", f, got, err)
	}
	want := []Issuer{{1, 2}, {1<<64 - 1, 1<<32 - 1}}
	s := appendHeader(nil, from)
	for _, i := range want {
		s = appendIssuer(s, i)
	}
	f, pairs, err := parseIssuers(s)
	if got := slices.Collect(issuers(pairs)); err != nil || f != from || !slices.Equal(got, want) {
		t.Errorf("got %v, %v and %v, expected %v", f, got, err, want)
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "a marker that is short": m[:len(m)-1], "a marker that is long": append(m[:len(m):len(m)], 0), "a version to come": append([]byte{2}, m[1:]...), "no version": append([]byte{0}, m[1:]...),
	} {
		if _, _, err := parseMarker(bad); err == nil {
			t.Errorf("%s: accepted as a marker, expected an error", name)
		}
	}
	longest := append(appendHeader(nil, from), make([]byte, 256*issuerSize)...)
	if _, pairs, err := parseIssuers(longest); err != nil || len(pairs) != 256*issuerSize {
		t.Errorf("256 pairs: got %d bytes and %v", len(pairs), err)
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "no pair": s[:headerSize], "half a pair": s[:len(s)-1], "257 pairs": append(longest, make([]byte, issuerSize)...), "a version to come": append([]byte{2}, s[1:]...),
	} {
		if _, _, err := parseIssuers(bad); err == nil {
			t.Errorf("%s: accepted as pairs, expected an error", name)
		}
	}
}

// Any octets are a message that is written alike, or an error.
func FuzzMarker(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(appendMarker(nil, ReplicaID{1}, MarkerID{2}))
	f.Add(append(appendMarker(nil, ReplicaID{1}, MarkerID{}), 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		from, marker, err := parseMarker(b)
		if err == nil && !bytes.Equal(appendMarker(nil, from, marker), b) {
			t.Fatalf("%x is read as %x and %x", b, from, marker)
		}
	})
}

// Any octets are a message that is written alike, or an error.
func FuzzIssuers(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(appendHeader(nil, ReplicaID{1}))
	f.Add(appendIssuer(appendHeader(nil, ReplicaID{1}), Issuer{2, 3}))
	f.Add(append(appendHeader(nil, ReplicaID{1}), make([]byte, 257*issuerSize)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		from, pairs, err := parseIssuers(b)
		if err != nil {
			return
		}
		again, n := appendHeader(nil, from), 0
		for i := range issuers(pairs) {
			again, n = appendIssuer(again, i), n+1
		}
		if !bytes.Equal(again, b) || n < 1 || n > maxIssuers {
			t.Fatalf("%x is read as %d pairs, and written as %x", b, n, again)
		}
	})
}
