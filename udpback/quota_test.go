package udpback

import "testing"

// Where the limit of a client is: nowhere in the first three quarters of a port, then
// at as many Identifiers as are free, and one at the least.
// Rules: P26
func TestExceeds(t *testing.T) {
	for _, row := range []struct {
		held, outstanding, capacity int64
		want                        bool
	}{
		{191, 191, 256, false}, // the first three quarters may be one client's
		{192, 192, 256, true},
		{63, 192, 256, false}, // 64 are free
		{64, 192, 256, true},
		{65, 192, 256, true},
		{1, 254, 256, false},
		{2, 254, 256, true},
		{0, 255, 256, false}, // who holds none gets the last
		{1, 255, 256, true},
		{0, 256, 256, false}, // that none is left another finds out
		{1, 256, 256, true},
		{0, 300, 256, false}, // the ceiling was lowered
		{1, 300, 256, true},
		{1000, 12288 - 1, 16384, false},
		{4096, 12288, 16384, true},
		{4095, 12288, 16384, false},
	} {
		h := new(usage)
		h.add(row.held)
		if got := h.exceeds(row.outstanding, row.capacity); got != row.want {
			t.Errorf("a client with %d, of %d of %d in use: exceeds %t, expected %t", row.held, row.outstanding, row.capacity, got, row.want)
		}
	}
	var none *usage
	if none.add(1); none.exceeds(256, 256) {
		t.Error("a client that is not counted exceeds its share")
	}
}

// The first Identifier that a client takes at a port is counted like those that follow,
// and each port by itself.
// Rules: P26
func TestQuotaAt(t *testing.T) {
	a, b := new(endpoint), new(endpoint)
	s := new(Quota)
	for n := range int64(3) {
		h := s.at(a)
		if h == nil || h.n.Load() != n {
			t.Fatalf("after %d Identifiers the client holds %+v", n, h)
		}
		h.add(1)
	}
	if h := s.at(b); h == nil || h.n.Load() != 0 {
		t.Errorf("at another port the client holds %+v, expected 0", h)
	}
	var nobody *Quota
	if h := nobody.at(a); h != nil {
		t.Errorf("a client that is not counted holds %+v", h)
	}
}
