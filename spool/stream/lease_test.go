package stream

import (
	"testing"
	"time"

	"radsec-gw/cluster/natstest"
)

// leading returns the Stores that lead.
func leading(all []*Store) (list []*Store) {
	for _, s := range all {
		if s.Leads() {
			list = append(list, s)
		}
	}
	return list
}

// One of several leads. When it closes, another leads soon; when it is lost, another does after
// takeAfter, and never two.
//
// Rules: GW4
func TestOneLeads(t *testing.T) {
	t.Parallel()
	c := natstest.Start(t, 1)
	var all []*Store
	for range 3 {
		s, _ := loaded(t, connected(c, "p", 1))
		all = append(all, s)
	}
	one := func(of []*Store) *Store {
		t.Helper()
		until(t, "one to lead", func() bool {
			n := len(leading(of))
			if n > 1 {
				t.Fatalf("expected one to lead, got %d", n)
			}
			return n == 1
		})
		return leading(of)[0]
	}
	first := one(all)
	select {
	case <-first.LeadChanged():
	default:
		t.Error("expected to be told of the lead")
	}
	began := time.Now()
	first.Close()
	if first.Leads() {
		t.Error("expected the lead to end with Close")
	}
	second := one(all)
	if took := time.Since(began); took > takeAfter {
		t.Errorf("expected another to lead within %v of Close, it took %v", takeAfter, took)
	}
	told := func() bool {
		select {
		case <-second.LeadChanged():
			return true
		default:
			return false
		}
	}
	told()
	second.conn.Close() // it is cut off
	began = time.Now()
	until(t, "the other to lead", func() bool {
		if len(leading(all)) > 1 {
			t.Fatal("expected one to lead")
		}
		return !second.Leads() && len(leading(all)) == 1
	})
	if took := time.Since(began); took < giveUpAfter-renewPause {
		t.Errorf("expected the other to wait for at least %v, it took %v", giveUpAfter-renewPause, took)
	}
	until(t, "the one that is cut off to be told that it no longer leads", told)
}
