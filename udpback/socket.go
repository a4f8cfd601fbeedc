package udpback

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"radsec-gw/locks"
	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

// socket is one connected UDP socket: 256 Identifiers, a reader, one timer.
type socket struct {
	// static after construction
	ep      *endpoint
	set     *socketSet
	address netip.Addr // that it is connected to; invalid: it is parked
	conn    datagram.Conn
	local   netip.AddrPort // of conn; invalid where it is not known
	done    chan struct{}  // closed when the reader has ended

	sweeping  locks.Mutex[locks.SocketSweeping] // held by a running sweep; acquired before socketSet.mu and mu
	closeOnce sync.Once

	mu             locks.Mutex[locks.Socket] // guards the fields below; never held over cryptography or a system call
	ids            identifiers
	slots          slots
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
	loseSource                           // retire the sockets of a client's source, which may be gone
)

func newSocket(set *socketSet, address netip.Addr, conn datagram.Conn) *socket {
	s := &socket{ep: set.ep, set: set, address: address, conn: conn, local: localOf(conn), done: make(chan struct{})}
	s.ids.init()
	s.timer = time.AfterFunc(time.Hour, s.sweep)
	s.timer.Stop()
	go s.read()
	return s
}

// hop returns the way that the socket's packets go.
func (s *socket) hop() Hop { return Hop{s.ep.server, s.set.secret()} }

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

// arm makes the timer fire no later than at when. With mu held.
func (s *socket) arm(when, now time.Duration) {
	if s.timerAt != 0 && s.timerAt <= when || s.closed {
		return
	}
	s.timerAt = when
	s.timer.Reset(when - now)
}

// armFor makes the timer fire for a slot, and sooner while a renewal is pending. With mu
// held.
func (s *socket) armFor(next, now time.Duration) {
	if s.orders&renewSocket != 0 {
		next = min(next, now+renewPause)
	}
	s.arm(next, now)
}

// close stops the timer and the reader, waits for them, and fails the requests that still
// wait. A second call does nothing.
func (s *socket) close() { s.closeOnce.Do(s.closeNow) }

func (s *socket) closeNow() {
	s.mu.Lock()
	s.closed = true
	s.timer.Stop()
	var waiting []*Exchange
	for id := range identifierCount {
		if sl := s.slot(wire.ServerID(id)); sl.state == slotWaiting || sl.state == slotAbandoned || sl.state == slotMoving {
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
	s.fail(waiting)
}

// fail ends the exchanges that waited on a socket that is closed.
func (s *socket) fail(waiting []*Exchange) {
	if len(waiting) == 0 {
		return
	}
	batch, touched := s.ep.server.backend.AcquireBatch(), new(Touched)
	defer s.ep.server.backend.ReleaseBatch(batch)
	for _, ex := range waiting {
		ex.fail(batch.Hasher, FailShutdown, 0, touched)
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

// countSent counts the first n of the packets as sent.
func (s *socket) countSent(as metrics.ServerCounter, packets [][]byte, n int) {
	octets := 0
	for _, p := range packets[:n] {
		octets += len(p)
	}
	s.ep.metrics.Count(as, n)
	s.ep.metrics.Count(metrics.ServerSentOctets, octets)
}

// failed notes that sending on a socket, or receiving, has failed. The socket's sweep
// soon does what follows from it: the caller may be relaying a packet.
func (s *socket) failed(err error) {
	switch {
	case errors.Is(err, errNowhere):
		return // reported when the socket could not be opened
	case !s.current():
		s.ep.metrics.Count(metrics.ServerSocketErrors, 1) // what waits has been ordered to move
		return
	case errors.Is(err, syscall.ECONNREFUSED):
		s.ep.log.socketError(err)
		s.portUnreachable()
		return
	}
	now := s.ep.server.backend.Now()
	blocked := datagram.IsUnreachable(err)
	if s.set.source != nil && blocked { // it may be about this source only: a new socket shows what is wrong
		s.ep.metrics.Count(metrics.ServerSocketErrors, 1)
		s.mu.Lock()
		s.sendFailedAt = now
		s.mu.Unlock()
		s.order(loseSource, now)
		return
	}
	s.ep.log.socketError(err)
	if blocked || datagram.IsLocal(err) { // the silence that follows says nothing about the server
		s.mu.Lock()
		s.sendFailedAt = now
		s.mu.Unlock()
	}
	if !blocked {
		return
	}
	s.ep.unreachableAt.Store(int64(now))
	if datagram.IsSourceGone(err) {
		s.order(renewSocket|moveSocket|moveServer, now)
	} else {
		s.order(renewSocket|moveServer, now)
	}
}

// portUnreachable handles ICMP port unreachable: nothing listens on the port that the
// requests were sent to. It can be forged, so it is only a hint: a request that can go to
// another server goes there, and a valid reply of this one still counts; one that cannot
// is resent when it is due, because a server that restarts may be up in time. CoA and
// Disconnect have only one NAS, and end (RFC 5176 §3.5).
func (s *socket) portUnreachable() {
	now := s.ep.server.backend.Now()
	s.ep.server.requestLookup()
	if s.set.uses(s) {
		s.ep.server.tryNextAddress(s.address)
	}
	if latest := s.latestWaiting(); latest != 0 { // one message counts as one silent request: without checks nothing else would count
		s.ep.health.Silent(latest)
	}
	o := moveServer
	if s.ep.label == metrics.PortCoA {
		o = failDynamic
	}
	s.order(o, now)
}

// latestWaiting returns when the latest of the requests that wait was first sent; 0: none
// waits.
func (s *socket) latestWaiting() (latest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range identifierCount {
		if sl := s.slot(wire.ServerID(id)); sl.state == slotWaiting && sl.ex.group != nil {
			latest = max(latest, sl.firstSent)
		}
	}
	return latest
}

// errNowhere is the error of sending on a parked socket.
var errNowhere = errors.New("no socket is open")

// nowhere is a Conn in place of one that cannot be opened: it sends and receives nothing.
type nowhere struct {
	once   sync.Once
	closed chan struct{}
}

func newNowhere() *nowhere { return &nowhere{closed: make(chan struct{})} }

func (n *nowhere) Send([][]byte) (int, error) { return 0, errNowhere }

func (n *nowhere) Receive(func(*datagram.Inbox)) error {
	<-n.closed
	return net.ErrClosed
}

func (n *nowhere) Unread() bool { return false }

func (n *nowhere) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}
