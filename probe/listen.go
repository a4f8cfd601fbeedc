package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"layeh.com/radius"
)

// ListenOptions says how Listen answers, and when it ends.
type ListenOptions struct {
	Answer Answer // for every request; the zero Answer is an ACK

	// Decide returns the answer to a request, instead of Answer. It is called for each request
	// that verified, one at a time, in the order in which they arrive. It may be nil.
	Decide func(*Request) Answer

	Count int // requests after which Listen ends; 0: it has no limit
}

// Check returns a *ConfigError if o is invalid.
func (o *ListenOptions) Check() error {
	if o.Count < 0 {
		return &ConfigError{fmt.Errorf("-count: expected 0 or more, got %d", o.Count)}
	}
	return o.Answer.Check()
}

// Listen plays the NAS: it waits for CoA-Requests and Disconnect-Requests on the connection,
// verifies each, and answers as o says, until there were o.Count of them and each is answered,
// or ctx ends. It writes each request and each answer to the transcript, and keeps the
// connection alive by Status-Server, which it does not write there (RFC 3539 §3.4.1). It closes
// the connection.
//
// The error is nil if every request verified, none was a duplicate and, where o.Count is not 0,
// that many arrived. It is a *ConfigError if o is invalid. A request that does not verify is not
// answered and ends Listen, as it ends a connection of RadSec.
func (c *Conn) Listen(ctx context.Context, o ListenOptions) error {
	if err := errors.Join(o.Check(), o.Answer.checkVersion(c.radius11)); err != nil {
		c.Close()
		return err
	}
	l := &listener{c: c, o: o, due: make(chan *response), done: make(chan struct{}), seen: map[uint32]string{}, open: map[uint32]bool{}}
	packets := make(chan []byte)
	var readError error // valid when packets is closed
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer func() {
		stop()
		close(l.done)
		c.Close()
		for range packets { // ends with the goroutine that reads
		}
	}()
	go func() {
		defer close(packets)
		readError = c.read(packets)
	}()
	fmt.Fprintln(c.t.w, "waiting for CoA-Request and Disconnect-Request")
	watchdog := time.NewTimer(watchdogInterval())
	defer watchdog.Stop()
	for !l.complete() {
		var err error
		select {
		case <-ctx.Done():
			return l.result()
		case b, ok := <-packets:
			if !ok {
				err = l.closed(readError)
			} else {
				err = l.received(b)
			}
		case a := <-l.due:
			err = l.send(a)
		case <-watchdog.C:
			err = l.checkAlive()
			watchdog.Reset(watchdogInterval())
		}
		if ended := new(connectionError); errors.As(err, &ended) && ctx.Err() != nil {
			return l.result()
		} else if err != nil {
			return err
		}
	}
	return l.result()
}

// watchdogInterval returns Tw of RFC 3539 §3.4.1: 15 s with a variation of 2 s.
func watchdogInterval() time.Duration {
	return 13*time.Second + rand.N(4*time.Second)
}

// read sends each packet that arrives to packets.
func (c *Conn) read(packets chan<- []byte) error {
	for _, b := range c.early {
		packets <- b
	}
	for {
		b, err := ReadPacket(c.conn)
		if err != nil {
			return err
		}
		packets <- b
	}
}

// listener is the state of one Listen. Only due and done are used by other goroutines.
type listener struct {
	c *Conn
	o ListenOptions

	due     chan *response // delayed answers whose time has come
	done    chan struct{}  // closed when Listen returns
	delayed int            // answers that are not in due yet

	arrived    int               // requests
	duplicates int               // requests that were there before, which arrived does not count
	seen       map[uint32]string // Identifier → the last request, Token → ""
	open       map[uint32]bool   // Identifiers or Tokens of the requests without an answer

	status []byte // the Status-Server whose reply is due; nil if there is none
	late   bool   // it was due when the next was to be sent
}

// complete reports whether every request that was wanted has come and has its answer.
func (l *listener) complete() bool {
	return l.o.Count > 0 && l.arrived >= l.o.Count && l.delayed == 0
}

// result returns the error of a Listen that nothing cut short.
func (l *listener) result() error {
	switch {
	case l.duplicates > 0:
		return fmt.Errorf("%d requests arrived a second time, which must not happen: RadSec has no retransmissions", l.duplicates)
	case l.arrived < l.o.Count:
		return fmt.Errorf("%d of %d requests arrived", l.arrived, l.o.Count)
	}
	fmt.Fprintf(l.c.t.w, "verified all of %d requests\n", l.arrived)
	return nil
}

// connectionError is that the connection closed, or failed in another way.
type connectionError struct{ error }

// closed explains an error of the connection.
func (l *listener) closed(err error) error {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return &connectionError{fmt.Errorf("the gateway closed the connection after %d requests; its log says why", l.arrived)}
		}
	}
	return &connectionError{fmt.Errorf("the connection failed after %d requests: %w", l.arrived, err)}
}

// received handles one packet.
func (l *listener) received(b []byte) error {
	code := radius.Code(b[0])
	switch {
	case l.status != nil && !asksNAS(code):
		r := &Result{Sent: l.status, Received: b, Radius11: l.c.radius11}
		if err := r.verify(l.c.t.secret); err != nil {
			return err
		}
		if !r.Verified() || !r.Positive() {
			return l.c.t.received(r)
		}
		l.status, l.late = nil, false
		return nil
	case !asksNAS(code):
		return fmt.Errorf("expected a CoA-Request or Disconnect-Request, got %s, %s", codeName(code), number(l.c.radius11, b))
	}
	p, err := radius.Parse(b, l.c.t.secret)
	if err != nil {
		return fmt.Errorf("the %s is malformed: %w", codeName(code), err)
	}
	return l.request(&Request{Received: b, Packet: p, Radius11: l.c.radius11})
}

// request handles a request of the server.
func (l *listener) request(r *Request) error {
	r.verify(l.c.t.secret)
	n, octets := r.number(), string(r.Received)
	if r.Radius11 {
		octets = "" // a Token is not used twice (RFC 9765 §4.2.1)
	}
	previous, known := l.seen[n]
	excess := l.o.Count > 0 && l.arrived >= l.o.Count
	switch {
	case known && previous == octets:
		r.Duplicate = true
		l.duplicates++
		l.c.t.request(r, ": a DUPLICATE of an earlier one, not answered")
		return nil
	case excess:
		l.c.t.request(r, ": one more than expected, not answered")
	default:
		l.c.t.request(r, "")
	}
	l.seen[n], l.open[n] = octets, true
	if !r.Verified() {
		return fmt.Errorf("the %s does not verify: see the transcript", codeName(r.Packet.Code))
	}
	if excess {
		return nil
	}
	l.arrived++
	return l.answer(r)
}

// answer answers a request, at once or when it is due.
func (l *listener) answer(r *Request) error {
	a := l.o.Answer
	if l.o.Decide != nil {
		a = l.o.Decide(r)
		if err := errors.Join(a.Check(), a.checkVersion(r.Radius11)); err != nil {
			return err
		}
	}
	if a.Kind == None {
		return nil
	}
	out := &response{request: r, answer: a}
	if a.Delay <= 0 {
		return l.send(out)
	}
	l.delayed++
	time.AfterFunc(a.Delay, func() {
		select {
		case l.due <- out:
		case <-l.done:
		}
	})
	return nil
}

// send encodes an answer and sends it.
func (l *listener) send(out *response) error {
	if out.answer.Delay > 0 {
		l.delayed--
	}
	n, ok := out.request.number(), true
	if out.answer.Wrong == WrongIdentifier {
		if n, ok = unasked(n, out.request.Radius11, l.open); !ok {
			return errors.New("-wrong identifier: every Identifier is taken by a request")
		}
	}
	b, err := out.encode(n)
	if err != nil {
		return err
	}
	if out.answer.Wrong == "" {
		delete(l.open, n)
	}
	packets := b
	if out.answer.Twice {
		packets = slices.Concat(b, b)
	}
	if _, err := l.c.conn.Write(packets); err != nil {
		return l.closed(err)
	}
	l.c.t.answered(out, b)
	return nil
}

// checkAlive sends a Status-Server. It is an error if the last one has no reply after twice the
// interval.
func (l *listener) checkAlive() error {
	if l.status != nil {
		if l.late {
			return errors.New("the gateway does not answer Status-Server")
		}
		l.late = true
		return nil
	}
	b, err := l.c.nextStatus()
	if err != nil {
		return err
	}
	l.status, l.c.last = b, b
	if _, err := l.c.conn.Write(b); err != nil {
		return l.closed(err)
	}
	return nil
}
