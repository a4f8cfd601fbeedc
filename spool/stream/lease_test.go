package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"radsec-gw/cluster/natstest"
)

// While NATS has no space to store anything, who leads goes on, because only he frees some; another
// that waits for the lead does not get it meanwhile.
//
// Rules: GW4, SP11
func TestLeadWithoutSpace(t *testing.T) {
	t.Parallel()
	c := natstest.StartWith(t, 1, natstest.Options{Config: `accounts { A { jetstream: { max_file: 200KB }, users: [ { user: u, password: u } ] } }`, Client: []nats.Option{nats.UserInfo("u", "u")}})
	s, _ := loaded(t, connected(c, "p", 1))
	until(t, "it to lead", s.Leads)
	other, _ := loaded(t, connected(c, "p", 1)) // what is added fits into both channels of changes
	var seqs []uint64
	until(t, "NATS to be full", func() bool {
		values := []Value{{Data: make([]byte, 1000)}}
		err := s.Add(values)
		if err == nil {
			seqs = append(seqs, values[0].Seq)
		}
		return isFull(err)
	})
	fill, err := jetstream.New(c.Connect())
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; !isFull(err); i++ { // the bucket, too
		_, err = fill.Publish(t.Context(), fmt.Sprint("$KV.p-spool.", i), nil)
	}
	began := time.Now()
	until(t, "the time to pass after which another would lead", func() bool {
		if !s.Leads() || other.Leads() {
			t.Fatalf("expected the lead to stay where it is, after %v", time.Since(began))
		}
		return time.Since(began) > takeAfter+2*renewPause
	})
	if err := s.Remove(seqs, whatever); err != nil {
		t.Fatal(err)
	}
	add(t, s, "again")
	until(t, "the lead to be renewed", func() bool {
		entry, err := s.shared.Get(t.Context(), leaderKey)
		return err == nil && string(entry.Value()) == s.ownID() && time.Since(entry.Created()) < renewPause*2
	})
	if !s.Leads() {
		t.Error("expected it to lead still")
	}
}

// leading returns the Stores that lead.
func leading(all []*Store) (list []*Store) {
	for _, s := range all {
		if s.Leads() {
			list = append(list, s)
		}
	}
	return list
}

// wantOthers waits until all but one know that another leads.
func wantOthers(t *testing.T, all []*Store, leader *Store) {
	t.Helper()
	for _, s := range all {
		if s != leader {
			until(t, "to know that another leads", s.OtherLeads)
		}
	}
	if leader.OtherLeads() {
		t.Error("expected that the one that leads knows of no other")
	}
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
	wantOthers(t, all, first)
	began := time.Now()
	first.Close()
	if first.Leads() {
		t.Error("expected the lead to end with Close")
	}
	second := one(all)
	if took := time.Since(began); took > 2*renewPause {
		t.Errorf("expected another to lead within %v of Close, it took %v", 2*renewPause, took)
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
	if leading(all)[0].OtherLeads() {
		t.Error("expected that nobody else is known to lead")
	}
	if took := time.Since(began); took < giveUpAfter-renewPause {
		t.Errorf("expected the other to wait for at least %v, it took %v", giveUpAfter-renewPause, took)
	}
	until(t, "the one that is cut off to be told that it no longer leads", told)
}
