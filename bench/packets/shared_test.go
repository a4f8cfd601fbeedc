package packets

import (
	"testing"

	"layeh.com/radius"
)

// No connection gets a request twice, however far behind or ahead it is; all verify.
func TestShared(t *testing.T) {
	mix, err := ParseMix("mixed")
	if err != nil {
		t.Fatal(err)
	}
	s := NewShared(mix)
	all := map[[16]byte]bool{}
	sent := 0
	kinds := map[Kind]int{}
	for connection, steps := range []int{100 * 256, 30 * 256, 3 * 256} {
		m := NewMaker(secret)
		buf := make([]byte, MaxLength)
		var last [256]uint32
		seen := map[[16]byte]bool{}
		for i := range steps {
			p, k := s.Write(buf, m, byte(i), &last[byte(i)])
			ra := [16]byte(p[4:20])
			if seen[ra] {
				t.Fatalf("connection %d is given a request twice, after %d", connection, i)
			}
			seen[ra], all[ra] = true, true
			sent++
			kinds[k]++
			if p[1] != byte(i) || i%97 == 0 && !radius.IsAuthenticRequest(p, secret) {
				t.Fatalf("connection %d: request %d has identifier %d, or is not authentic", connection, i, p[1])
			}
		}
	}
	if len(all) == sent {
		t.Errorf("%d requests were signed %d times: nothing was shared", sent, len(all))
	}
	if kinds[EAP] != sent/2 || kinds[PAP] != sent/4 || kinds[Acct] != sent/4 {
		t.Errorf("of %d requests, %d are EAP, %d PAP, %d accounting; want a half and quarters", sent, kinds[EAP], kinds[PAP], kinds[Acct])
	}
}
