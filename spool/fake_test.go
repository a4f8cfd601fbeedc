package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// fakeOwner is what relays requests, and all servers.
type fakeOwner struct {
	start time.Time

	mu        sync.Mutex
	stored    []string // acknowledged records, and others with their errors
	sent      []transmission
	held      []*Outgoing // for which serve has returned hold
	serve     func(s sample) (Result, time.Duration)
	reachable bool
	asked     int // calls of Reachable
	turns     int // calls of Send
}

// transmission is one record on its way to a server.
type transmission struct {
	sample
	at     time.Duration // since the owner was made
	packet []byte
	resent bool
	record *Record
}

// hold is the result of a record that a test itself ends.
const hold Result = 255

func newFakeOwner() *fakeOwner {
	return &fakeOwner{start: time.Now(), serve: answering}
}

// answering is servers that answer, silent those that do not.
func answering(sample) (Result, time.Duration) { return Answered, 10 * time.Millisecond }
func silent(sample) (Result, time.Duration)    { return Silent, 5 * time.Second }
func holding(sample) (Result, time.Duration)   { return hold, 0 }

func (o *fakeOwner) Stored(entries []*Entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range entries {
		switch name := e.Owner.(string); {
		case e.Err == nil:
			o.stored = append(o.stored, name)
		default:
			o.stored = append(o.stored, fmt.Sprintf("%s: %s", name, nameOf(e.Err)))
		}
	}
}

// nameOf returns a short name of an error.
func nameOf(err error) string {
	for name, e := range map[string]error{"closed": ErrClosed, "full": ErrFull, "busy": ErrBusy, "disk": ErrDisk, "unreadable": ErrUnreadable} {
		if errors.Is(err, e) {
			return name
		}
	}
	return err.Error()
}

func (o *fakeOwner) Send(records []*Outgoing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.turns++
	for _, out := range records {
		s := sampleOf(out.Packet)
		o.sent = append(o.sent, transmission{s, time.Since(o.start), out.Packet, out.Sent, out.Record})
		switch result, after := o.serve(s); {
		case result == hold:
			o.held = append(o.held, out)
		default:
			time.AfterFunc(after, func() { out.Done(result) })
		}
	}
}

func (o *fakeOwner) Reachable(string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked++
	return o.reachable
}

// set changes what the servers do from now on.
func (o *fakeOwner) set(serve func(s sample) (Result, time.Duration)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.serve = serve
}

func (o *fakeOwner) setReachable(reachable bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reachable = reachable
}

// take returns the records that are held, which the caller ends.
func (o *fakeOwner) take() []*Outgoing {
	o.mu.Lock()
	defer o.mu.Unlock()
	held := o.held
	o.held = nil
	return held
}

// end ends the records that are held, and returns their names.
func (o *fakeOwner) end(r Result) (names []string) {
	for _, out := range o.take() {
		names = append(names, sampleOf(out.Packet).String())
		out.Done(r)
	}
	return names
}

// acknowledged returns what was stored, and not, since the last call.
func (o *fakeOwner) acknowledged() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.stored
	o.stored = nil
	return list
}

// transmissions returns what was sent since the last call.
func (o *fakeOwner) transmissions() []transmission {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.sent
	o.sent = nil
	return list
}

// names returns the names of what was sent since the last call.
func (o *fakeOwner) names() (names []string) {
	for _, t := range o.transmissions() {
		names = append(names, t.String())
	}
	return names
}

// counts returns how often Reachable and Send were called since the last call.
func (o *fakeOwner) counts() (asked, turns int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	asked, turns = o.asked, o.turns
	o.asked, o.turns = 0, 0
	return asked, turns
}

// testStore is a store that fails, waits or lies if a test wants that.
type testStore struct {
	store

	mu      sync.Mutex // guards the fields below
	commits []int      // the additions of each commit
	gate    chan struct{}
	before  func(add []addition, remove []uint64) error // may refuse a commit
	after   func(error) error                           // may lie about it
	getting error                                       // of get
	each6   error                                       // of each from the sixth record, which is what people ask for
}

// disturbed has the spool use a testStore around its own. It is called before Start; the
// function returns the store that was opened last.
func (b *bed) disturbed() func() *testStore {
	var mu sync.Mutex
	last := new(testStore)
	b.openStore = func(directory string, log *slog.Logger) (store, error) {
		st, err := openFileStore(directory, log)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		last = &testStore{store: st}
		return last, nil
	}
	return func() *testStore {
		mu.Lock()
		defer mu.Unlock()
		return last
	}
}

func (s *testStore) commit(add []addition, remove []uint64) error {
	s.mu.Lock()
	s.commits = append(s.commits, len(add))
	gate, before, after := s.gate, s.before, s.after
	s.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if before != nil {
		if err := before(add, remove); err != nil {
			return err
		}
	}
	err := s.store.commit(add, remove)
	if after != nil {
		err = after(err)
	}
	return err
}

func (s *testStore) each(from uint64, f func(seq uint64, value []byte) bool) error {
	s.mu.Lock()
	err := s.each6
	s.mu.Unlock()
	if err != nil && from == 6 {
		return err
	}
	return s.store.each(from, f)
}

func (s *testStore) get(seqs []uint64, f func(seq uint64, value []byte)) error {
	s.mu.Lock()
	err := s.getting
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.store.get(seqs, f)
}

// failToGet has get fail; nil: no longer.
func (s *testStore) failToGet(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.getting = err
}

// block has commits wait until the function is called that it returns.
func (s *testStore) block() (release func()) {
	gate := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate = gate
	return sync.OnceFunc(func() {
		s.mu.Lock()
		s.gate = nil
		s.mu.Unlock()
		close(gate)
	})
}

// fail has commits fail; nil: no longer.
func (s *testStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = func([]addition, []uint64) error { return err }
}

// taken returns the additions of each commit since the last call.
func (s *testStore) taken() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.commits
	s.commits = nil
	return list
}
