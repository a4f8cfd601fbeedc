package wire

import (
	"bytes"
	"slices"
	"testing"
)

// What is hidden like a User-Password is opened when it is whole blocks, one at
// least; the User-Password itself has eight at most.
// Rules: P42
func TestRevealPasswordLengths(t *testing.T) {
	ra := [16]byte(authenticator(1))
	for _, n := range []int{0, 1, 15, 16, 17, 32, 112, 128, 129, 144, 160} {
		plain := xs(n)
		hidden := hidePassword(plain[:n/16*16], "s", ra[:])
		hidden = append(hidden, xs(n%16)...)
		for _, c := range []struct {
			what string
			p    pair
			most int
		}{
			{"User-Password", pair{2, hidden}, 128},
			{"MS-CHAP-MPPE-Keys", vsa(311, sub(12, hidden)...), 255},
			{"Aruba-MPSK-Lookup-Info", vsa(14823, sub(66, hidden)...), 255},
		} {
			got := Reveal(parsed(t, assemble(1, 1, ra[:], c.p)), &ra, serverSecret(t, "s"))
			opens := n > 0 && n%16 == 0 && n <= c.most
			want := hidden
			if opens {
				want = plain
			}
			if len(got) != 1 || !got[0].Hidden || got[0].Sealed == opens || !bytes.Equal(got[0].Value, want) {
				t.Errorf("%s of %d octets: expected it opened: %t, got %+v", c.what, n, opens, got)
			}
		}
	}
}

// A salted value is opened when the length in it is no longer than the value.
// Rules: P40, P42
func TestRevealLengthInside(t *testing.T) {
	ra := [16]byte(authenticator(1))
	salt := []byte{0x80, 1}
	for length := range 256 {
		plain := append([]byte{byte(length)}, xs(31)...)
		key := append(bytes.Clone(salt), hidePassword(plain, "s", append(bytes.Clone(ra[:]), salt...))...)
		got := Reveal(parsed(t, assemble(2, 1, nil, vsa(311, sub(16, key)...))), &ra, serverSecret(t, "s"))
		want := key
		if length <= 31 {
			want = xs(length)
		}
		if len(got) != 1 || got[0].Sealed != (length > 31) || !bytes.Equal(got[0].Value, want) {
			t.Errorf("length %d of 31: got %+v", length, got)
		}
	}
}

// The parts of a value that is not whole are listed one by one, sealed where the
// value is hidden; what is whole is joined, also behind them.
// Rules: P12, P42
func TestRevealParts(t *testing.T) {
	for number, want := range map[byte]struct {
		name   string
		sealed bool
	}{5: {"WiMAX-MSK", true}, 7: {"Vendor-24757-Attr-7", false}, 86: {"Vendor-24757-Attr-86", true}} {
		list := []pair{wimaxPart(number, true, []byte("one")), wimaxPart(number, true, []byte("two")), vsa(wimax, number, 99)}
		got := Reveal(parsed(t, assemble(2, 1, nil, list...)), nil, nil)
		if len(got) != 3 {
			t.Fatalf("parts of %d: expected three, got %+v", number, got)
		}
		for i, text := range []string{"one", "two"} {
			if a := got[i]; string(a.Value) != text || a.Name != want.name || a.Hidden != want.sealed || a.Sealed != want.sealed || a.Number != int(number) {
				t.Errorf("part %d of %d: expected %s, sealed %t, got %+v", i, number, want.name, want.sealed, a)
			}
		}
		list = append(splitWiMAX(number, []byte("whole"), 2), wimaxPart(number, true, []byte("torn")))
		got = Reveal(parsed(t, assemble(2, 1, nil, list...)), nil, nil)
		var values []string
		for _, a := range got {
			values = append(values, string(a.Value))
		}
		if !slices.Equal(values, []string{"whole", "torn"}) {
			t.Errorf("%d: expected a whole value and a part, got %q", number, values)
		}
	}
}

// A vendor that the table does not know has its attributes listed by the layout
// that RFC 2865 §5.26 recommends; a value that looks like a row of TLVs is one only
// where the table says so.
func TestRevealInside(t *testing.T) {
	inside := append(sub(9, nil), sub(200, []byte{1, 3, 'x'})...)
	for _, vendor := range []uint32{9999, 311} {
		got := Reveal(parsed(t, assemble(2, 1, nil, vsa(vendor, inside...))), nil, nil)
		if len(got) != 2 || got[0].Number != 9 || got[1].Number != 200 || got[1].Sub != 0 || !bytes.Equal(got[1].Value, []byte{1, 3, 'x'}) || got[1].Hidden {
			t.Errorf("vendor %d: expected the attributes 9 and 200, got %+v", vendor, got)
		}
	}
}
