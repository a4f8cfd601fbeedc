package audit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/wire"
)

const (
	maxTaps  = 8   // attached at one time
	tapQueue = 256 // packets that wait for one tap
)

// Filter chooses what a tap shows; all that is given must hold.
type Filter struct {
	Client string `json:"client,omitempty"` // a client's configured name
	Realm  string `json:"realm,omitempty"`  // that requests are routed by, letters of either case alike
	User   string `json:"user,omitempty"`   // the whole User-Name, letters of either case alike
}

// String says what is shown.
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

// seen is what a tap is shown: an event with copies of its packets.
type seen struct {
	at      time.Time
	event   Event // Request and Realm are nil, Reply a copy
	request []byte
	ended   bool
	v11     bool // a connection of RADIUS/1.1
}

// tap is one onlooker.
type tap struct {
	// static after construction
	hub    *Hub
	filter Filter
	packet chan *seen

	dropped atomic.Int64 // since it was last told

	mu     sync.Mutex // guards sending to packet
	closed bool
}

var errTooManyTaps = errors.New("as many taps are attached as the gateway takes")

// attach begins a tap; its close ends it.
func (h *Hub) attach(f Filter) (*tap, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := *h.taps.Load()
	if len(now) >= maxTaps {
		return nil, errTooManyTaps
	}
	t := &tap{hub: h, filter: f, packet: make(chan *seen, tapQueue)}
	h.setTaps(append(slices.Clone(now), t))
	return t, nil
}

func (h *Hub) detach(t *tap) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.setTaps(slices.DeleteFunc(slices.Clone(*h.taps.Load()), func(one *tap) bool { return one == t }))
}

// setTaps stores the list. With mu held.
func (h *Hub) setTaps(list []*tap) {
	h.taps.Store(&list)
	h.updateListening()
}

// offer hands a copy of the event to the tap, unless its queue is full.
func (t *tap) offer(e *Event, ended bool) {
	if !t.filter.matches(e) {
		return
	}
	if len(t.packet) == cap(t.packet) { // before copying anything
		t.drop()
		return
	}
	s := &seen{at: time.Now(), event: *e, ended: ended}
	s.event.Request, s.event.Realm, s.event.Reply = nil, nil, bytes.Clone(e.Reply)
	s.v11 = e.Request != nil && e.Request.Is11()
	if e.Request != nil && !ended {
		s.request = bytes.Clone(e.Request.Packet)
	}
	if e.Request != nil && ended { // to name the request that has ended
		s.request = bytes.Clone(e.Request.Packet[:wire.MinLength])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	select {
	case t.packet <- s:
		t.hub.queue.Add(1)
	default:
		t.drop()
	}
}

func (t *tap) drop() {
	t.dropped.Add(1)
	t.hub.queue.Shed(1)
}
