package udpback

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"radsec-gw/locks"
	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

// socket is one connected UDP socket: 256 Identifiers, a reader, one timer.
type socket struct {
	// static after construction
	ep      *endpoint
	address netip.Addr // that it is connected to; invalid: it is parked
	conn    datagram.Conn
	done    chan struct{} // closed when the reader has ended

	sweeping  locks.Mutex[locks.SocketSweeping] // held by a running sweep; acquired before socketSet.mu and mu
	closeOnce sync.Once

	mu             locks.Mutex[locks.Socket] // guards the fields below; never held over cryptography or a system call
	ids            identifiers
	slots          [256]slot
	timer          *time.Timer   // runs sweep
	timerAt        time.Duration // when the timer fires; 0 when it is not set
	closed         bool
	orders         orders        // for the next sweep
	repliedAt      time.Duration // when a verified reply last arrived here; 0: never
	sendFailedAt   time.Duration // when a send last failed for a reason of the network's or of this machine's; 0: never
	postponedSince time.Duration // since when the sweep waits for unread datagrams; 0: it does not
}

// orders are what the next sweep does with the requests that wait on a socket.
type orders uint8

const (
	moveServer        orders = 1 << iota // go to another server if possible, now
	moveSocket                           // go to the socket that has replaced this one, now
	moveSocketWhenDue                    // the same, when they are due; this order stays
	moveSocketLate                       // the same, when they are due and the port is not up, or their patience is over
	renewSocket                          // open a socket to replace this one, first
	failDynamic                          // end as refused: CoA and Disconnect have no other server
	sendEarly                            // be sent early: the server was silent or failing, and answers again
)

func newSocket(e *endpoint, address netip.Addr, conn datagram.Conn) *socket {
	s := &socket{ep: e, address: address, conn: conn, done: make(chan struct{})}
	s.ids.init()
	s.timer = time.AfterFunc(time.Hour, s.sweep)
	s.timer.Stop()
	go s.read()
	return s
}

// parked reports whether the socket holds parked requests, and cannot send: see
// socketSet.park.
func (s *socket) parked() bool { return !s.address.IsValid() }

// current reports whether the socket is connected to the address that its server uses
// now. What happens on one to an earlier address says nothing about the server.
func (s *socket) current() bool { return !s.parked() && s.address == s.ep.server.Address() }

// order has a sweep carry out o soon. It does not wait.
func (s *socket) order(o orders, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders |= o
	s.arm(now, now)
}

// closeIfIdle reports whether no Identifier is in use. If so, none can be reserved any
// more: a goroutine that chose the socket a moment ago must not send on it while it
// closes.
func (s *socket) closeIfIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids.free < len(s.ids.ring) {
		return false
	}
	s.closed = true
	return true
}

// reserve reserves a free Identifier for ex. It reports false when all 256 are in use, or
// the socket is closed.
func (s *socket) reserve(ex *Exchange, u *usage) (reservation, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return reservation{}, false
	}
	id, ok := s.ids.acquire()
	if !ok {
		return reservation{}, false
	}
	sl := &s.slots[id]
	sl.state, sl.ex, sl.code, sl.sends, sl.overdue, sl.uncounted, sl.sentEarly, sl.earlyAt = slotReserved, ex, ex.Code, 0, false, false, false, 0
	ex.ep = s.ep
	sl.usage = u
	sl.usage.add(1)
	return reservation{socket: s, id: id, generation: sl.generation}, true
}

// begin fills the slots of requests that are about to be sent with what will
// be sent, and begins their schedules; Cancel finds them from now on. It returns the
// exchanges of reservations that are lost because the socket is closed.
func (s *socket) begin(items []reservation, now time.Duration) (lost []*Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range items {
		it := &items[i]
		if s.closed {
			lost = append(lost, s.free(it.id))
			continue
		}
		sl := &s.slots[it.id]
		sl.packet = s.ep.server.backend.Buffers.Copy(it.packet)
		sl.sent = [16]byte(it.packet[4:20])
		sch := s.schedule(sl)
		sl.state, sl.sends, sl.firstSent, sl.lastSent = slotWaiting, 1, now, now
		sl.expires = now + sch.Duration
		if sl.ex.deadline != 0 { // the clock keeps running over a move (RFC 5080 §2.2.1)
			sl.expires = min(sl.expires, sl.ex.deadline)
		}
		sl.wait = sch.first(jitter())
		b := sl.ex.prior
		sl.ex.prior = priorSchedule{} // the next server begins a new schedule
		if b.sends > 0 {
			sl.firstSent, sl.overdue, sl.sentEarly = b.first, b.overdue, b.sentEarly
		}
		if b.sends > 0 && b.due == 0 {
			sl.sends, sl.wait = b.sends+1, sch.next(b.wait, jitter())
		}
		sl.due = min(now+sl.wait, sl.expires)
		if sl.resentAfterError = b.due > 0; sl.resentAfterError {
			sl.sends, sl.wait, sl.due = b.sends, b.wait, min(b.due, sl.expires)
		}
		s.extendLastWait(sl)
		if sl.ex.firstSent == 0 && !s.parked() {
			sl.ex.firstSent = now
		}
		sl.moveAt = sl.ex.moveAt(now)
		if !sl.ex.setSlot(s, it.id, sl.generation) { // cancelled: it is not resent
			sl.stopSending()
		}
		s.arm(sl.next(), now)
	}
	return lost
}

// arm makes the timer fire no later than at when. With mu held.
func (s *socket) arm(when, now time.Duration) {
	if s.timerAt != 0 && s.timerAt <= when || s.closed {
		return
	}
	s.timerAt = when
	s.timer.Reset(when - now)
}

// free ends a slot's use and returns its exchange. With mu held.
func (s *socket) free(id wire.ServerID) *Exchange {
	sl := &s.slots[id]
	ex := sl.ex
	if ex != nil {
		ex.sends += s.sendsOf(sl)
	}
	s.ep.server.backend.Buffers.Return(sl.packet)
	sl.generation++
	sl.usage.add(-1)
	sl.state, sl.ex, sl.packet, sl.usage, sl.previous = slotFree, nil, nil, nil, previous{}
	s.ids.release(id)
	return ex
}

// release frees a reserved Identifier on which nothing was sent.
func (s *socket) release(id wire.ServerID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free(id)
}

// abandon stops the schedule of a slot that waits for ex. The Identifier stays
// taken until a valid reply or the schedule's end (RFC 5080 §2.2.2).
func (s *socket) abandon(id wire.ServerID, generation uint32, ex *Exchange) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := &s.slots[id]
	if sl.ex != ex || sl.generation != generation {
		return false
	}
	ex.sends += s.sendsOf(sl)
	s.abandonSlot(sl)
	return true
}

// abandonSlot removes the exchange from a slot, which stays taken. With mu held.
func (s *socket) abandonSlot(sl *slot) {
	s.ep.server.backend.Buffers.Return(sl.packet)
	sl.state, sl.ex, sl.packet = slotAbandoned, nil, nil
	sl.stopSending()
}

// close stops the timer and the reader, waits for them, and fails the requests that still
// wait. A second call does nothing.
func (s *socket) close() { s.closeOnce.Do(s.closeNow) }

func (s *socket) closeNow() {
	s.mu.Lock()
	s.closed = true
	s.timer.Stop()
	var waiting []*Exchange
	for id := range s.slots {
		if sl := &s.slots[id]; sl.state == slotWaiting || sl.state == slotAbandoned || sl.state == slotMoving {
			if !sl.uncounted {
				s.ep.addOutstanding(-1)
			}
			if ex := s.free(wire.ServerID(id)); ex != nil {
				waiting = append(waiting, ex)
			}
		}
	}
	s.mu.Unlock()
	s.conn.Close()
	<-s.done
	s.sweeping.Lock() // after a sweep that had begun
	defer s.sweeping.Unlock()
	h, touched := wire.NewHasher(), new(Touched)
	for _, ex := range waiting {
		ex.Handler.Fail(h, FailShutdown, 0, touched)
	}
	touched.Flush()
}

// readErrorPause keeps read from spinning on a persistent error.
const readErrorPause = 100 * time.Millisecond

// read handles batches of replies until the socket is closed.
func (s *socket) read() {
	defer close(s.done)
	for {
		err := s.conn.Receive(s.handle)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		s.failed(err)
		if !datagram.IsUnreachable(err) && !errors.Is(err, syscall.ECONNREFUSED) {
			time.Sleep(readErrorPause)
		}
	}
}

// handle ends the exchanges that a batch of datagrams answers.
func (s *socket) handle(in *datagram.Inbox) {
	pool := &s.ep.server.backend.receivers
	r := pool.Get().(*receiver)
	r.socket = s
	r.handle(in)
	r.socket = nil
	pool.Put(r)
}

// sweep runs when a slot may be due.
func (s *socket) sweep() {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	b := s.ep.server.backend
	w := b.dueWork.Get().(*dueWork)
	defer w.release(b)
	w.socket = s
	w.run()
}

// armFor makes the timer fire for a slot, and sooner while a renewal is pending. With mu
// held.
func (s *socket) armFor(next, now time.Duration) {
	if s.orders&renewSocket != 0 {
		next = min(next, now+renewPause)
	}
	s.arm(next, now)
}

// schedule returns the schedule of the slot's exchange. With mu held.
func (s *socket) schedule(sl *slot) *Schedule {
	if sl.ex.schedule != nil {
		return sl.ex.schedule
	}
	return &s.ep.server.settings.Load().schedule
}

// extendLastWait makes a request whose transmissions are used up wait until the end of its
// schedule if one of them was early: it must not fail sooner because of that. With mu
// held.
func (s *socket) extendLastWait(sl *slot) {
	if sl.sentEarly && int(sl.sends) >= s.schedule(sl).Count {
		sl.due = sl.expires
	}
}

// sendsOf returns how often a slot's request was really sent. With mu held.
func (s *socket) sendsOf(sl *slot) int {
	if s.parked() {
		return 0
	}
	return int(sl.sends)
}
