package audit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
	"radsec-gw/wire"
)

const (
	maxTaps  = 8    // attached at one time
	tapQueue = 1024 // packets queued for one tap
)

// Filter selects what a tap shows; all non-empty fields must match.
type Filter struct {
	Client string `json:"client,omitempty"` // a client's configured name; of a request of a Sender that is not known when it arrives
	Realm  string `json:"realm,omitempty"`  // that requests are routed by, ignoring case
	User   string `json:"user,omitempty"`   // the whole User-Name, ignoring case
	Count  int    `json:"count,omitempty"`  // end after so many; 0: never
	Pcapng bool   `json:"pcapng,omitempty"` // the form: pcapng, not text
}

// String describes what is shown.
func (f Filter) String() string {
	text := ""
	for _, one := range [][2]string{{"client", f.Client}, {"realm", f.Realm}, {"user", f.User}} {
		if one[1] != "" {
			text += fmt.Sprintf(" %s=%q", one[0], one[1])
		}
	}
	if text == "" {
		return "everything"
	}
	return text[1:]
}

func (f *Filter) matches(e *Event) bool {
	if f.Client != "" && f.Client != e.Client {
		return false
	}
	if f.Realm != "" && !bytes.EqualFold(e.Realm, []byte(f.Realm)) {
		return false
	}
	return f.User == "" || e.Request != nil && bytes.EqualFold(e.Request.UserName(), []byte(f.User))
}

// tapEvent is an event for a tap, with copies of its packets.
type tapEvent struct {
	at      time.Time
	event   Event // Request and Realm are nil, Reply a copy
	request []byte
	ended   bool
	step    *Step // of a server; its Event is nil, and its Packet a copy
	v11     bool  // a connection of RADIUS/1.1
}

// tap is one subscriber.
type tap struct {
	// static after construction
	hub    *Hub
	filter Filter
	events chan *tapEvent

	dropped atomic.Int64 // not reported yet

	mu     locks.Mutex[locks.Tap] // guards sending to events
	closed bool
}

var errTooManyTaps = errors.New("the gateway accepts no more taps")

// attach adds a tap; its close removes it.
func (h *Hub) attach(f Filter) (*tap, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := *h.taps.Load()
	if len(now) >= maxTaps {
		return nil, errTooManyTaps
	}
	t := &tap{hub: h, filter: f, events: make(chan *tapEvent, tapQueue)}
	h.setTaps(append(slices.Clone(now), t))
	return t, nil
}

func (h *Hub) detach(t *tap) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.setTaps(slices.DeleteFunc(slices.Clone(*h.taps.Load()), func(one *tap) bool { return one == t }))
}

// setTaps stores the list. Called with mu held.
func (h *Hub) setTaps(list []*tap) {
	h.taps.Store(&list)
	h.updateListening()
}

// offer queues a copy of the event for the tap, unless its queue is full.
func (t *tap) offer(e *Event, ended bool) {
	if !t.filter.matches(e) {
		return
	}
	if len(t.events) == cap(t.events) { // before copying anything
		t.drop()
		return
	}
	s := &tapEvent{at: time.Now(), event: *e, ended: ended}
	s.event.Request, s.event.Realm, s.event.Reply = nil, nil, bytes.Clone(e.Reply)
	s.v11 = e.Request != nil && e.Request.Is11()
	if e.Request != nil && !ended {
		s.request = bytes.Clone(e.Request.Packet)
	}
	if e.Request != nil && ended { // to identify the request that has ended
		s.request = bytes.Clone(e.Request.Packet[:wire.MinLength])
	}
	t.queue(s)
}

// offerStep queues a copy of a step for the tap, unless its queue is full.
func (t *tap) offerStep(st *Step) {
	if !t.filter.matches(&st.Event) {
		return
	}
	if len(t.events) == cap(t.events) {
		t.drop()
		return
	}
	s := &tapEvent{at: time.Now(), event: st.Event, step: new(*st)}
	s.event.Request, s.event.Realm = nil, nil
	s.step.Event, s.step.Packet = Event{}, bytes.Clone(st.Packet)
	t.queue(s)
}

// queue queues an event for the tap, unless its queue is full.
func (t *tap) queue(s *tapEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	select {
	case t.events <- s:
		t.hub.queue.Add(1)
	default:
		t.drop()
	}
}

func (t *tap) drop() {
	t.dropped.Add(1)
	t.hub.queue.Shed(1)
}
