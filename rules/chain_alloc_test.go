//go:build !race && !lockorder

package rules

import (
	"testing"

	"radsec-gw/wire"
)

// Ten rules on a packet do not allocate.
//
// Rules: AR10
func TestApplyDoesNotAllocate(t *testing.T) {
	c, v, e := tenRules(t), login(t), NewEditor()
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := c.Apply(e, v, wire.KindAccess, facts, wire.Sealer{}); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("expected no allocation, got %v", n)
	}
}
