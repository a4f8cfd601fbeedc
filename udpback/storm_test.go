package udpback

import (
	"crypto/md5"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"radsec-gw/udpback/datagram"

	"layeh.com/radius"
)

// fault is what a port does with what it is sent, for a while.
type fault int

const (
	answers     fault = iota
	silent            // nothing comes back
	slow              // answers after up to ten seconds, so out of order
	twice             // answers, and again
	forges            // wrong authenticator, code or Identifier; an earlier request's answer
	refuses           // Protocol-Error
	unreachable       // ICMP port unreachable
	loses             // half of the datagrams of each direction
	anything          // one of the above for each datagram
	numFaults
)

// phase is a fault that lasts until a moment.
type phase struct {
	until time.Duration
	fault fault
}

// storm is the network of one random schedule: it misbehaves as planned, and
// holds every datagram that is sent to the rules of the Identifiers.
type storm struct {
	t     *testing.T
	start time.Time
	ports map[string]*stormPort // by address
	// crowded storms bring more requests than there are Identifiers.
	crowded bool

	mu         sync.Mutex
	rnd        *rand.Rand
	sockets    int
	flights    map[place]*flight // the last packet on each Identifier of each socket
	travellers []*traveller
	wrongs     []string // what broke a rule
}

// stormPort is one port of a server; static while the storm lasts.
type stormPort struct {
	plan     []phase
	schedule Schedule      // of its server
	check    time.Duration // how long its server waits for a check's answer
}

type place struct {
	socket int
	id     byte
}

// flight is one packet on one Identifier.
type flight struct {
	traveller *traveller // nil: a check
	address   string
	socket    int // the number of the gateway's
	octets    []byte
	first     time.Duration
	end       time.Duration // when its schedule is over at the latest
	copies    int
	answered  bool
	reply     []byte // a right answer to it, once made
}

func (w *storm) now() time.Duration { return time.Since(w.start) }

// wrong notes a broken rule. With mu held.
func (w *storm) wrong(format string, args ...any) {
	if len(w.wrongs) < 10 {
		w.wrongs = append(w.wrongs, fmt.Sprintf("at %v: ", w.now())+fmt.Sprintf(format, args...))
	}
}

func (w *storm) dial(_ netip.Addr, address netip.AddrPort) (datagram.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sockets++
	return &stormSocket{storm: w, address: nameOf(address), number: w.sockets, in: make(chan delivery, 512), closed: make(chan struct{})}, nil
}

// delivery is one datagram on its way back.
type delivery struct {
	octets []byte
	answer *flight // what it rightly answers; nil: forged
}

type stormSocket struct {
	storm   *storm
	address string
	number  int
	in      chan delivery
	once    sync.Once
	closed  chan struct{}
}

func (s *stormSocket) Send(bufs [][]byte) (int, error) {
	w := s.storm
	w.mu.Lock()
	defer w.mu.Unlock()
	refused := false
	for _, b := range bufs {
		f := w.record(s, b)
		switch what := w.fault(s.address); {
		case what == unreachable:
			refused = true
		case what == loses && w.rnd.IntN(2) == 0:
		default:
			s.react(what, f)
		}
	}
	if refused {
		return 0, syscall.ECONNREFUSED
	}
	return len(bufs), nil
}

// fault is what the port does now. With mu held.
func (w *storm) fault(address string) fault {
	what := answers
	for _, p := range w.ports[address].plan {
		if w.now() < p.until {
			what = p.fault
			break
		}
	}
	if what == anything {
		what = fault(w.rnd.IntN(int(anything)))
	}
	return what
}

// record holds one datagram to the rules and remembers it. With mu held.
func (w *storm) record(s *stormSocket, b []byte) *flight {
	at := place{s.number, b[1]}
	if f := w.flights[at]; f != nil {
		if slices.Equal(f.octets, b) {
			w.again(f)
			return f
		}
		w.mayReuse(f, at)
	}
	f := &flight{address: s.address, socket: s.number, octets: slices.Clone(b), first: w.now(), copies: 1}
	port := w.ports[s.address]
	if t := w.owner(b); t != nil {
		f.traveller = t
		if t.deadline == 0 {
			t.deadline = t.began + port.schedule.Duration
		}
		f.end = min(f.first+port.schedule.Duration, t.deadline)
		w.depart(t, f)
	} else {
		f.end = f.first + port.check*9/10
	}
	w.flights[at] = f
	return f
}

// owner returns whose request a packet is: its User-Name says so. With mu held.
func (w *storm) owner(b []byte) *traveller {
	var n int
	if _, err := fmt.Sscanf(string(b[20:]), "\x01\x0an%07d", &n); err != nil {
		return nil
	}
	return w.travellers[n]
}

// mayReuse checks that an Identifier is given out anew only after a valid reply
// or the end of the earlier packet's schedule (RFC 2865 §2.5). With mu held.
func (w *storm) mayReuse(f *flight, at place) {
	over := f.answered || w.now() >= f.end-sweepGrain
	if t := f.traveller; t != nil && t.failed && t.latest == f {
		over = true // its transmissions were used up
	}
	if !over {
		w.wrong("Identifier %d of socket %d is reused, but its packet of %v to %s has no answer and its schedule ends at %v", at.id, at.socket, f.first, f.address, f.end)
	}
}

// again checks a retransmission. With mu held.
func (w *storm) again(f *flight) {
	f.copies++
	t := f.traveller
	switch {
	case t == nil:
		w.wrong("a check was retransmitted (RFC 5997 §4.1)")
	case f.copies > w.ports[f.address].schedule.Count:
		w.wrong("request %d was sent %d times to %s, more than its schedule has", t.number, f.copies, f.address)
	case t.latest != f:
		w.wrong("request %d was resent to %s after it moved on", t.number, f.address)
	case t.over && w.now() > t.overAt:
		w.wrong("request %d was resent although it was over at %v", t.number, t.overAt)
	}
}

// depart notes that a request goes to a server as a new packet. With mu held.
func (w *storm) depart(t *traveller, f *flight) {
	if p := t.latest; p != nil {
		switch {
		case !movable(t.Kind):
			w.wrong("request %d, a %v, moved from %s to %s (RFC 5176 §2.3)", t.number, t.Kind, p.address, f.address)
		case p.address == f.address && p.socket == f.socket:
			w.wrong("request %d went to %s as a second packet from the same port", t.number, f.address)
		case slices.Equal(p.octets[4:20], f.octets[4:20]):
			w.wrong("request %d moved with its old Request Authenticator (RFC 2865 §2.5)", t.number)
		}
		if p.address == f.address { // from a new local port: its schedule goes on
			f.copies += p.copies
		} else {
			t.moves++
		}
	}
	t.latest = f
}

// react sends back what the fault makes of a request. With mu held.
func (s *stormSocket) react(what fault, f *flight) {
	w := s.storm
	wait := time.Duration(w.rnd.IntN(20)) * time.Millisecond
	switch what {
	case answers:
		s.back(wait, f.right(), f)
	case slow:
		s.back(time.Duration(w.rnd.IntN(10_000))*time.Millisecond, f.right(), f)
	case twice:
		s.back(wait, f.right(), f)
		s.back(time.Duration(w.rnd.IntN(5_000))*time.Millisecond, f.right(), f)
	case loses:
		if w.rnd.IntN(2) == 0 {
			s.back(wait, f.right(), f)
		}
	case forges:
		s.back(wait, w.forged(f), nil)
	case refuses:
		s.back(wait, protocolError(f.octets, [...]byte{502 - 256, 505 - 256, 406 - 256}[w.rnd.IntN(3)]), f)
	}
}

// forged is an answer that must not be taken. With mu held.
func (w *storm) forged(f *flight) []byte {
	b := slices.Clone(f.right())
	switch w.rnd.IntN(4) {
	case 0:
		b[4+w.rnd.IntN(16)] ^= 1
	case 1:
		b[len(b)-1] ^= 1 // the attribute that says whose it is
	case 2:
		b[1]++ // right for another Identifier than it says
	default:
		b = signed(f.octets, radius.CodeCoANAK, 0)
		if f.octets[0] == byte(radius.CodeCoARequest) {
			b[0] = byte(radius.CodeDisconnectACK)
		}
	}
	return b
}

// right is the true answer to a packet.
func (f *flight) right() []byte {
	if f.reply == nil {
		code := map[radius.Code]radius.Code{
			radius.CodeAccessRequest: radius.CodeAccessChallenge, radius.CodeStatusServer: radius.CodeAccessAccept,
			radius.CodeAccountingRequest: radius.CodeAccountingResponse, radius.CodeCoARequest: radius.CodeCoAACK,
			radius.CodeDisconnectRequest: radius.CodeDisconnectNAK,
		}[radius.Code(f.octets[0])]
		number := -1
		if f.traveller != nil {
			number = f.traveller.number
		}
		f.reply = signed(f.octets, code, number)
	}
	return f.reply
}

// signed is a reply with a State and a Class that names the request's owner.
func signed(request []byte, code radius.Code, number int) []byte {
	b := append([]byte{byte(code), request[1], 0, 0}, request[4:20]...)
	b = append(b, fmt.Sprintf("\x18\x0as%07d\x19\x0ac%07d", max(number, 0), max(number, 0))...)
	b[3] = byte(len(b))
	sum := md5.Sum(append(slices.Clone(b), secretText...))
	copy(b[4:20], sum[:])
	return b
}

// back delivers octets to the gateway after a while.
func (s *stormSocket) back(after time.Duration, octets []byte, answer *flight) {
	time.AfterFunc(after, func() {
		select {
		case s.in <- delivery{octets, answer}:
		default: // the socket's buffer is full
		}
	})
}

func (s *stormSocket) Receive(handle func(*datagram.Inbox)) error {
	for {
		select {
		case d := <-s.in:
			s.storm.mu.Lock()
			if d.answer != nil {
				d.answer.answered = true
			}
			s.storm.mu.Unlock()
			in := stormInboxes.Get().(*datagram.Inbox)
			in.Reset()
			in.Append(d.octets)
			handle(in)
			stormInboxes.Put(in)
		case <-s.closed:
			return net.ErrClosed
		}
	}
}

func (s *stormSocket) Unread() bool { return false }
func (s *stormSocket) Close() error { s.once.Do(func() { close(s.closed) }); return nil }

// stormInboxes spares the tests 128 KiB for each datagram.
var stormInboxes = sync.Pool{New: func() any { return new(datagram.Inbox) }}
