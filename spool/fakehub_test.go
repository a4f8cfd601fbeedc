package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"radsec-gw/spool/stream"
)

// fakeHub is a stream that several gateways share.
type fakeHub struct {
	mu      sync.Mutex
	last    uint64
	values  map[uint64][]byte
	members []*fakeMember // that have it open
	deaf    map[int]bool  // members that are not told of removals
	fail    bool          // a commit stores its first record only, and fails
	refuses bool          // it stores nothing, with an error
	keeps   bool          // it removes nothing, with an error
	most    int           // the most that one commit has removed
	gate    chan struct{} // for which commits wait; nil: they do not
	held    int           // calls of behind
	opened  int

	// Leads is called with Spool.mu held, which others acquire with mu held.
	leading sync.Mutex
	leader  int           // of the names of members
	cut     map[int]bool  // members that cannot reach it
	ahead   time.Duration // its clock, of the machines'
}

func newFakeHub() *fakeHub {
	return &fakeHub{values: map[uint64][]byte{}, cut: map[int]bool{}, deaf: map[int]bool{}}
}

// fakeMember is the store of one gateway.
type fakeMember struct {
	hub    *fakeHub
	name   int
	feed   chan stream.Change
	change chan struct{}
}

var errCutOff = errors.New("nats: timeout")

// hold has commits that begin from now on wait until the function that is returned is called.
func (h *fakeHub) hold() (release func()) {
	gate := make(chan struct{})
	h.setGate(gate)
	return func() { close(gate) }
}

func (h *fakeHub) setGate(gate chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gate = gate
}

// setLast sets the last number that was given.
func (h *fakeHub) setLast(seq uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = seq
}

// behind calls f while a commit of a spool waits, so that what f adds there is stored after what it
// adds elsewhere.
func (h *fakeHub) behind(b *bed, f func()) {
	release := h.hold()
	h.held++
	b.add(sample{fmt.Sprint("before", h.held), start, 0}) // alone in its commit
	synctest.Wait()
	h.setGate(nil)
	f()
	synctest.Wait()
	release()
	pass(time.Second)
}

// sharedBed returns a spool that shares the stream of a hub with others, and has a name. No server
// answers what it sends.
func sharedBed(t testing.TB, hub *fakeHub, name int) *bed {
	t.Helper()
	b := closedBed(t, "", roomy)
	b.cfg.Stream = &StreamConfig{} // it is not used
	b.owner.set(silent)
	b.openStore = func(string, *slog.Logger) (store, error) {
		hub.mu.Lock()
		defer hub.mu.Unlock()
		if hub.isCut(name) {
			return nil, errCutOff
		}
		m := &fakeMember{hub: hub, name: name, feed: make(chan stream.Change, 1<<16), change: make(chan struct{}, 1)}
		hub.members = append(hub.members, m)
		hub.opened++
		return m, nil
	}
	b.Start(t.Context())
	return b
}

// lead has a member lead.
func (h *fakeHub) lead(name int) {
	h.leading.Lock()
	h.leader = name
	h.leading.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.members {
		wake(m.change)
	}
}

// set changes whether a member can reach the hub, and is told of removals.
func (h *fakeHub) set(name int, cut, deaf bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deaf[name] = deaf
	h.leading.Lock()
	defer h.leading.Unlock()
	h.cut[name] = cut
}

func (h *fakeHub) isCut(name int) bool {
	h.leading.Lock()
	defer h.leading.Unlock()
	return h.cut[name]
}

// openings returns how often the hub was opened.
func (h *fakeHub) openings() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.opened
}

func (h *fakeHub) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.values)
}

// locked calls f with the hub, unless the member cannot reach it.
func (m *fakeMember) locked(f func(h *fakeHub)) error {
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	if m.hub.isCut(m.name) {
		return errCutOff
	}
	f(m.hub)
	return nil
}

func (m *fakeMember) each(from uint64, f func(seq uint64, value []byte) bool) error {
	return m.locked(func(h *fakeHub) {
		for _, seq := range slices.Sorted(maps.Keys(h.values)) {
			if seq >= from && !f(seq, h.values[seq]) {
				return
			}
		}
	})
}

func (m *fakeMember) get(seqs []uint64, f func(seq uint64, value []byte)) error {
	return m.locked(func(h *fakeHub) {
		for _, seq := range seqs {
			if value, ok := h.values[seq]; ok {
				f(seq, value)
			}
		}
	})
}

func (m *fakeMember) commit(add []addition, _ []uint64) error {
	m.hub.mu.Lock()
	gate := m.hub.gate
	m.hub.mu.Unlock()
	if gate != nil {
		<-gate
	}
	failed, refused := false, false
	err := m.locked(func(h *fakeHub) {
		if refused = h.refuses && len(add) > 0; refused {
			return
		}
		for i := range add {
			if failed = h.fail && i > 0; failed {
				add[i].seq = 0
				continue
			}
			h.last++
			add[i].seq = h.last
			h.values[h.last] = slices.Clone(add[i].value)
			for _, other := range h.members {
				other.feed <- stream.Change{Kind: stream.Added, Seq: h.last, Data: h.values[h.last]}
			}
		}
	})
	switch {
	case refused:
		return &jetstream.APIError{Description: "maximum bytes exceeded", ErrorCode: 10077}
	case failed:
		return errCutOff
	}
	return err
}

func (m *fakeMember) remove(seqs []uint64, isSame func(seq uint64, value []byte) bool) (err error) {
	cutOff := m.locked(func(h *fakeHub) {
		h.most = max(h.most, len(seqs))
		if h.keeps {
			err = errCutOff
			return
		}
		for _, seq := range seqs {
			if value, ok := h.values[seq]; ok && !isSame(seq, value) {
				err = stream.ErrGone
				return
			}
		}
		for _, seq := range seqs {
			delete(h.values, seq)
			for _, other := range h.members {
				if other != m && !h.deaf[other.name] {
					other.feed <- stream.Change{Kind: stream.Removed, Seq: seq}
				}
			}
		}
	})
	return errors.Join(err, cutOff)
}

func (m *fakeMember) close() error {
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	m.hub.members = slices.DeleteFunc(m.hub.members, func(o *fakeMember) bool { return o == m })
	return nil
}

func (m *fakeMember) load(f func(seq uint64, value []byte) bool) error { return m.each(0, f) }
func (m *fakeMember) secret() []byte                                   { return make([]byte, secretLength) }
func (m *fakeMember) changes() <-chan stream.Change                    { return m.feed }
func (m *fakeMember) leadChanged() <-chan struct{}                     { return m.change }

func (m *fakeMember) leads() bool {
	m.hub.leading.Lock()
	defer m.hub.leading.Unlock()
	return m.hub.leader == m.name && !m.hub.cut[m.name]
}

func (m *fakeMember) otherLeads() bool {
	m.hub.leading.Lock()
	defer m.hub.leading.Unlock()
	return m.hub.leader >= 0 && m.hub.leader != m.name && !m.hub.cut[m.name]
}

// findLeft does nothing for a member that is not told of removals by any means.
func (m *fakeMember) findLeft() {
	m.locked(func(h *fakeHub) {
		if !h.deaf[m.name] {
			m.feed <- stream.Change{Kind: stream.Left, Seq: h.last, Left: slices.Sorted(maps.Keys(h.values))}
		}
	})
}

func (m *fakeMember) now() time.Time {
	m.hub.leading.Lock()
	defer m.hub.leading.Unlock()
	return time.Now().Add(m.hub.ahead)
}

// setAhead changes the hub's clock.
func (h *fakeHub) setAhead(d time.Duration) {
	h.leading.Lock()
	defer h.leading.Unlock()
	h.ahead = d
}

func (m *fakeMember) length() (n int, err error) {
	err = m.locked(func(h *fakeHub) { n = len(h.values) })
	return n, err
}
