package spool

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Why a record is not taken over. The client gets no acknowledgement then.
var (
	ErrClosed     = errors.New("the spool is not open")
	ErrFull       = errors.New("the spool is full")
	ErrBusy       = errors.New("too many records wait to be stored")
	ErrDisk       = errors.New("the spool could not write to its store")
	ErrUnreadable = errors.New("the record cannot be encrypted for the spool")
)

// Owner is what relays requests. Its methods are called by the spool's own goroutines.
type Owner interface {
	// Stored is called with the entries of one commit, of which each has its Err.
	Stored(entries []*Entry)
	// Send sends records to servers. Done must be called once for each, then or later.
	Send(records []*Outgoing)
	// Reachable reports whether a server of the route can be reached, as far as is known.
	Reachable(route string) bool
}

// Config is what a Spool needs.
type Config struct {
	Directory string
	Stream    *StreamConfig // of the store that several gateways share; nil: it is a file in Directory
	Limits    Limits
	Owner     Owner // nil: nothing is sent to servers, and only imports are stored
	Metrics   *metrics.Spool
	Opened    func() // is called whenever the store has been opened; nil: nobody needs to know
	Log       *slog.Logger
}

// Limits are what can be changed while the spool is used. They are immutable.
type Limits struct {
	MaxOctets  int64         // of all records together
	MaxRecords int           // at most
	MaxAge     time.Duration // older records are dropped
	Rate       int           // records a second to each route
	Window     int           // records in flight to each route
	Attempts   int           // until a record is set aside
	// ReplaceInterims has a newer record of a session replace its older Interim-Updates.
	ReplaceInterims bool
}

// maxWaiting bounds the records that wait to be stored. A commit takes some milliseconds.
const maxWaiting = 8192

// Spool keeps accounting records until a server has them.
type Spool struct {
	// static after construction
	cfg        Config
	marker     *Marker
	queue      chan *Entry
	work       chan struct{} // of capacity 1: the writer has something else to do
	due        chan struct{} // of capacity 1: there may be something to send
	running    sync.WaitGroup
	ctx        context.Context // ends with Close
	cancel     context.CancelFunc
	diskErrors logs.Limiter
	refusals   logs.Limiter
	key        []byte // of the secret; owned by the writer's goroutine
	loaded     uint64 // the highest number that the store had when it was opened; likewise
	openStore  func(directory string, log *slog.Logger) (store, error)

	limits atomic.Pointer[Limits]
	// busySince is since when the writer's goroutine uses the disk; nil: it does not.
	busySince atomic.Pointer[time.Time]
	hanging   atomic.Bool // the disk does not answer

	waiting atomic.Int64 // entries that are not stored yet

	retrying  atomic.Bool                   // somebody brings records back that were set aside
	asideFile locks.Mutex[locks.SpoolAside] // held while their file is written, or renamed

	mu       locks.Mutex[locks.Spool] // guards the fields below
	err      error                    // why the store is not open; nil: it is
	failure  error                    // why the last commit has failed; nil: it has not
	damage   error                    // what was met when the store was read: it must be opened again
	epoch    uint32                   // counts the times that the store was opened
	index    *index
	clock    clock
	last     uint64      // the highest number of a record
	left     int         // records in the store that are not in the index: of another version, or damaged
	ledSince int64       // since when this gateway sends the records of a shared store, on the spool's clock
	lastTime int64       // that nextTime has returned
	removals []removal   // from the store
	asides   []handle    // records that are to be set aside
	oldest   int64       // when the oldest record arrived, on the spool's clock; 0: there is none
	inUse    []twoCopies // of which the later was in use, up to maxInUse
	aside    int64       // bytes of the files of records that were set aside
	askedAt  int64       // when the owner was last asked what is reachable, on the spool's clock
	store    store
	secret   *secret
}

// New returns a Spool, which Start opens.
func New(cfg Config) *Spool {
	s := &Spool{cfg: cfg, marker: NewMarker(), queue: make(chan *Entry, maxWaiting), work: make(chan struct{}, 1), due: make(chan struct{}, 1), err: ErrClosed, index: newIndex(), openStore: openFileStore}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.limits.Store(&cfg.Limits)
	if cfg.Stream != nil {
		s.openStore = func(string, *slog.Logger) (store, error) { return s.openStream() }
	}
	return s
}

// Directory returns the directory of the spool.
func (s *Spool) Directory() string { return s.cfg.Directory }

// Shared reports whether several gateways share the store.
func (s *Spool) Shared() bool { return s.cfg.Stream != nil }

// SetLimits replaces the limits.
func (s *Spool) SetLimits(l Limits) {
	s.limits.Store(&l)
	wake(s.due)
}

// Marks returns the marks of a client's Accounting-Request.
func (s *Spool) Marks(client string, v *wire.View) Marks { return s.marker.Of(client, v) }

// wake has the receiver of a channel of capacity 1 look what there is to do.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Live is a request on its way to a server without the spool, as the spool knows it. The zero
// Live is none. Only the spool's methods use its fields.
type Live struct {
	epoch   uint32
	at      int64  // when it began, on the spool's clock: each is later than the one before
	session handle // 0: it has ended
	item    handle // its record; 0: it has none
}

// Begin begins a live request. It reports false if the record must go to the spool instead,
// because an earlier one of its session is not delivered yet.
//
// Rules: SP5.
func (s *Spool) Begin(l *Live, m *Marks) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		*l = Live{}
		return true
	}
	session, ok := s.index.begin(m)
	*l = Live{epoch: s.epoch, at: s.nextTime(), session: session}
	return ok
}

// nextTime returns the time on the spool's clock, but never the same twice: what began first is
// sent first, even if it arrived in the same moment. Called with mu held.
func (s *Spool) nextTime() int64 {
	s.lastTime = max(s.lastTime+1, s.clock.now())
	return s.lastTime
}

// End ends a live request; answered reports whether a server has answered it. It may be
// called again, to no effect.
func (s *Spool) End(l *Live, answered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.session == 0 {
		return
	}
	session, h := l.session, l.item
	current := l.epoch == s.epoch && s.err == nil
	*l = Live{}
	if !current {
		return
	}
	if h != 0 && s.index.items.at(h).state == itemRemoved {
		s.index.items.at(h).held = false
		s.index.remove(h)
	} else if h != 0 {
		s.index.release(h)
		if answered {
			s.cfg.Metrics.AnsweredLate()
			s.index.lanes[s.index.items.at(h).lane].heard = s.clock.now()
			s.deliveredCopy(s.index.items.at(h).seq)
			s.delivered(h)
		}
	}
	s.index.end(session)
	wake(s.due)
}

// delivered notes that a server has a record. Called with mu held.
func (s *Spool) delivered(h handle) {
	it := s.index.items.at(h)
	if it.state == itemStoring {
		it.state = itemGone
		return
	}
	s.discard(h)
}

// discard removes a record that is stored. Called with mu held.
func (s *Spool) discard(h handle) {
	it := s.index.items.at(h)
	s.removals = append(s.removals, removal{it.seq, it.content})
	s.index.remove(h)
	wake(s.work)
}

// Entry is a record on its way into the spool.
type Entry struct {
	// set by its owner before Add
	Record Record    // without Packet
	Packet wire.View // of the client, in memory that is the entry's until Stored
	From   *wire.ClientSecret
	Marks  Marks
	Waited time.Duration // since the request arrived
	Live   *Live         // its live request, which stays where it is until Stored; nil: it has none
	Owner  any

	// set by the spool before Stored
	Err error // why the record is not stored; nil: it is, and can be acknowledged

	done      func(error) // is told instead of the owner; nil: the owner is
	epoch     uint32
	item      handle // 0: it is a duplicate
	seq       uint64
	duplicate bool // of the record with the number seq
}

// Add hands a record over. If that succeeds, Owner.Stored tells whether it was stored. The
// error is ErrClosed, ErrFull, ErrBusy or ErrUnreadable. It does not wait.
//
// Rules: SP10, SP11.
func (s *Spool) Add(e *Entry) error {
	err := s.add(e)
	if err == nil {
		return nil
	}
	s.cfg.Metrics.Refused(refusal(err))
	if err == ErrFull || err == ErrBusy {
		s.refusals.Log(func() logs.Line {
			st, l := s.State(), s.limits.Load()
			return logs.Line{Log: s.cfg.Log, Level: slog.LevelError, Text: "the spool cannot take more records: they are not acknowledged until it can", Fields: []any{"error", err, "records", st.Records, "max_records", l.MaxRecords, "octets", st.Octets, "max_octets", l.MaxOctets, "waiting", st.Waiting}}
		})
	}
	return err
}

func (s *Spool) add(e *Entry) error {
	if err := e.Record.check(); err != nil {
		return ErrUnreadable
	}
	if s.waiting.Add(1) > maxWaiting {
		s.waiting.Add(-1)
		return ErrBusy
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.place(e); err != nil {
		s.waiting.Add(-1)
		return err
	}
	// With mu held, so that nothing follows when the store has been closed, and a record comes
	// before its copies. The queue has space, because waiting counts what is in it.
	s.queue <- e
	return nil
}

// longestWait bounds the time that a record can have waited before it was handed over: 32 bits
// of seconds, as in Acct-Delay-Time.
const longestWait = math.MaxUint32 * time.Second

// place gives an entry its place among the records. Called with mu held.
func (s *Spool) place(e *Entry) error {
	if s.err != nil {
		return ErrClosed
	}
	e.epoch = s.epoch
	e.Record.at = s.clock.now() - int64(min(max(0, e.Waited), longestWait))
	if e.Live != nil && e.Live.at != 0 && e.Live.epoch == s.epoch {
		e.Record.at = e.Live.at
	}
	for h := s.index.byContent[e.Marks.content]; h != 0; h = s.index.items.at(h).same {
		if it := s.index.items.at(h); it.state != itemGone && it.state != itemRemoved {
			e.seq, e.duplicate = it.seq, true // it seems so: the writer compares them
			return nil
		}
	}
	if err := s.insert(e); err != nil {
		return err
	}
	if e.Live != nil && e.Live.session != 0 && e.Live.epoch == s.epoch {
		s.index.items.at(e.item).held = true
		e.Live.item = e.item
	}
	return nil
}

// insert adds an entry to the index, unless that is full. Called with mu held.
func (s *Spool) insert(e *Entry) error {
	l, size := s.limits.Load(), e.Record.size(len(e.Packet.Packet))
	if s.index.count >= l.MaxRecords || s.index.octets+int64(size) > l.MaxOctets {
		return ErrFull
	}
	e.item = s.index.add(&e.Marks, e.Record.at, s.index.laneFor(e.Record.Route), size)
	s.last++
	e.seq, e.duplicate = s.last, false
	it := s.index.items.at(e.item)
	it.seq, it.resent = e.seq, e.Record.Sent
	return nil
}

// refusal returns the name of the metric for an error.
func refusal(err error) metrics.SpoolRefusal {
	switch {
	case errors.Is(err, ErrFull):
		return metrics.SpoolFull
	case errors.Is(err, ErrBusy):
		return metrics.SpoolBusy
	case errors.Is(err, ErrUnreadable):
		return metrics.SpoolUnreadable
	case errors.Is(err, ErrDisk):
		return metrics.SpoolDisk
	}
	return metrics.SpoolClosed
}

// State is what is known of a spool, for people.
type State struct {
	Err     error // why nothing can be stored; nil: it can
	Records int
	Octets  int64
	Waiting int           // records that are not stored yet
	Oldest  time.Duration // age of the oldest record; 0: there is none
	Sending int           // records that are in flight to servers
	Aside   int64         // bytes of the files of records that were set aside, a moment ago

	Elsewhere bool // another gateway sends the records, which leads those that share the store
}

// metricsState returns the state for the metrics.
func (s *Spool) metricsState() metrics.SpoolState {
	st, l := s.State(), s.limits.Load()
	return metrics.SpoolState{Records: st.Records, RecordsLimit: l.MaxRecords, Octets: st.Octets, OctetsLimit: l.MaxOctets, Waiting: st.Waiting, Oldest: st.Oldest, Shared: s.Shared()}
}

// State returns the state of the spool.
func (s *Spool) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{Err: s.err, Records: s.index.count, Octets: s.index.octets, Waiting: int(s.waiting.Load()), Sending: s.index.replay, Aside: s.aside}
	if st.Err == nil {
		st.Err = s.failure
	}
	if shared, ok := s.store.(sharedStore); ok {
		st.Elsewhere = !shared.leads() && shared.otherLeads()
	}
	if s.oldest != 0 && s.index.count > 0 { // the sweep that finds the next comes later
		st.Oldest = s.clock.age(s.oldest)
	}
	return st
}
