package faults

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"radsec-gw/bench/histogram"
	"radsec-gw/probe"
)

// realms is load for two realms on the same connections: Access-Request for the
// first, Accounting-Request for the second, whose Identifiers are apart.
type realms struct {
	address     string
	tls         *tls.Config
	connections int
	rate        [2]float64 // requests a second
	duration    time.Duration

	mu       sync.Mutex // guards the fields below
	sent     [2]int
	accepted [2]int // positive replies
	unsent   [2]int // not sent, because all Identifiers were in use
	latency  [2]histogram.Histogram
}

var names = [2]string{"alice@stalled.example", "bob@other.example"}

// drain is how long replies are waited for after the last request.
const drain = 3 * time.Second

func (r *realms) run(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, r.connections)
	from := time.Now()
	for i := range r.connections {
		wg.Go(func() { errs[i] = r.connection(ctx, i, from) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// wire is one connection with its requests in flight.
type wire struct {
	*realms
	conn     *tls.Conn
	mu       sync.Mutex // guards the fields below
	next     [2]byte
	inFlight [2][256]time.Time // when sent; zero: free
}

func (r *realms) connection(ctx context.Context, number int, from time.Time) error {
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp4", r.address)
	if err != nil {
		return err
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	w := &wire{realms: r, conn: tls.Client(raw, r.tls)}
	if err := w.conn.HandshakeContext(ctx); err != nil {
		return err
	}
	_ = raw.SetReadDeadline(from.Add(r.duration + drain))
	read := make(chan error, 1)
	go func() { read <- w.receive() }()
	err = w.send(ctx, number, from)
	if err == nil {
		err = <-read
	}
	return err
}

// send sends what is due, each few milliseconds.
func (w *wire) send(ctx context.Context, number int, from time.Time) error {
	out := bufio.NewWriterSize(w.conn, 16<<10)
	var done [2]int
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for time.Since(from) < w.duration {
		for realm := range w.rate {
			// Connections take turns: each is a part of its interval later than the one before.
			share := w.rate[realm] / float64(w.connections)
			due := int(time.Since(from).Seconds()*share + float64(number)/float64(w.connections))
			for ; done[realm] < due; done[realm]++ {
				id, free := w.reserve(realm)
				if !free {
					continue
				}
				p, err := newRequest(realm, id)
				if err != nil {
					return err
				}
				if _, err := out.Write(p); err != nil {
					return err
				}
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// reserve returns the Identifier of the next request of a realm, unless none is free.
func (w *wire) reserve(realm int) (id byte, free bool) {
	w.mu.Lock()
	id = w.next[realm]
	for range 256 { // the longest unused that is free
		if free = w.inFlight[realm][id].IsZero(); free {
			w.inFlight[realm][id] = time.Now()
			w.next[realm] = id + 1
			break
		}
		id++
	}
	w.mu.Unlock()
	w.realms.mu.Lock()
	if free {
		w.sent[realm]++
	} else {
		w.unsent[realm]++
	}
	w.realms.mu.Unlock()
	return id, free
}

// newRequest makes a request of a realm.
func newRequest(realm int, id byte) ([]byte, error) {
	p := radius.New(radius.CodeAccessRequest, []byte("radsec"))
	if realm == 1 {
		p.Code = radius.CodeAccountingRequest
		p.Add(rfc2866.AcctSessionID_Type, p.Authenticator[:]) // each is another
	}
	p.Identifier = id
	p.Add(rfc2865.UserName_Type, []byte(names[realm]))
	if realm == 0 {
		probe.AddMessageAuthenticator(p)
	}
	return probe.Sign(p)
}

// receive reads the replies until the connection's deadline.
func (w *wire) receive() error {
	in := bufio.NewReaderSize(w.conn, 16<<10)
	for {
		p, err := probe.ReadPacket(in)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return nil
		}
		if err != nil {
			return err
		}
		w.arrived(radius.Code(p[0]), p[1])
	}
}

// arrived notes one reply.
func (w *wire) arrived(code radius.Code, id byte) {
	realm := 0
	if code == radius.CodeAccountingResponse {
		realm = 1
	}
	w.mu.Lock()
	since := w.inFlight[realm][id]
	w.inFlight[realm][id] = time.Time{}
	w.mu.Unlock()
	if since.IsZero() || code == radius.CodeAccessReject {
		return
	}
	w.realms.mu.Lock()
	defer w.realms.mu.Unlock()
	w.accepted[realm]++
	w.latency[realm].Record(time.Since(since))
}
