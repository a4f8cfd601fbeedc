package relay

import (
	"testing"
	"testing/synctest"

	"layeh.com/radius"
)

// Answers are kept within a bound of all links together. Beyond it a duplicate is
// dropped: neither is it relayed a second time, nor does it take memory.
// Rules: P61, P100
func TestKeptAnswersAreBounded(t *testing.T) {
	for _, full := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			others := int64(0)
			if full {
				others = maxKept
				b.gateway.kept.Add(others)
				t.Cleanup(func() { b.gateway.kept.Add(-others) }) // before the bed looks
			}
			l, p := b.open()
			b.net.setServe(func(s []byte) [][]byte {
				return [][]byte{respond(s, map[byte]radius.Code{1: 2}[s[0]], mac)}
			})
			q := request(1, 9, 1, user("nemo@example.org"))
			b.send(l, q)
			one(t, "the client got", p.got())
			if kept := b.gateway.kept.Load() > others; kept == full {
				t.Errorf("with the bound reached %v the answer is kept: %v", full, kept)
			}
			b.send(l, q)
			want := map[bool]string{false: "access/duplicate_answered=1 access/relayed=1", true: "access/duplicate_dropped=1 access/relayed=1"}[full]
			b.wantFates(want)
			if n := len(b.net.seen()); n != 1 {
				t.Errorf("the server got %d requests, expected one", n)
			}
		})
	}
}
