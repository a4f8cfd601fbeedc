package main

import (
	"testing"
)

// Where a group has a bound, so many survivors need no entry in the list.
func TestBound(t *testing.T) {
	for _, row := range []struct {
		group          string
		size, survives int
		fails          bool
	}{
		{"wire", 100, 0, false}, {"wire", 100, 1, true}, {"udpback", 100, 2, false}, {"udpback", 100, 3, true}, {"udpback", 9, 1, true},
	} {
		var all []*mutant
		for range row.size {
			all = append(all, &mutant{src: &source{pkg: &pkg{group: row.group}}})
		}
		r := newReport(nil, all)
		for i, m := range all {
			r.outcomes[m] = outcome{Killed: i >= row.survives}
		}
		if err := r.err(); (err != nil) != row.fails {
			t.Errorf("%s: %d of %d survive: expected an error %t, got %v", row.group, row.survives, row.size, row.fails, err)
		}
	}
}
