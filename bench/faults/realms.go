package faults

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"layeh.com/radius"

	"radsec-gw/bench/histogram"
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
				if p := w.request(realm); p != nil {
					if _, err := out.Write(p); err != nil {
						return err
					}
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

// request makes the next request of a realm; nil when no Identifier is free.
func (w *wire) request(realm int) []byte {
	w.mu.Lock()
	id, free := w.next[realm], false
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
	if !free {
		return nil
	}
	p := make([]byte, 20, 128)
	p[0], p[1] = byte(radius.CodeAccessRequest), id
	_, _ = rand.Read(p[4:20]) // never fails
	if realm == 1 {
		p[0] = byte(radius.CodeAccountingRequest)
		p = append(append(p, 44, 18), p[4:20]...) // Acct-Session-Id
		clear(p[4:20])
	} else {
		p = append(append(p, 80, 18), make([]byte, 16)...)
	}
	p = append(append(p, 1, byte(2+len(names[realm]))), names[realm]...)
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	if realm == 1 { // RFC 2866 §3
		sum := md5.Sum(append(p[:len(p):len(p)], "radsec"...))
		copy(p[4:], sum[:])
	} else { // RFC 3579 §3.2
		h := hmac.New(md5.New, []byte("radsec"))
		h.Write(p)
		copy(p[22:], h.Sum(nil))
	}
	return p
}

// receive reads the replies until the connection's deadline.
func (w *wire) receive() error {
	in := bufio.NewReaderSize(w.conn, 16<<10)
	buf := make([]byte, 4096)
	for {
		if _, err := io.ReadFull(in, buf[:4]); err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				return nil
			}
			return err
		}
		n := int(binary.BigEndian.Uint16(buf[2:]))
		if n < 20 || n > len(buf) {
			return fmt.Errorf("a packet of length %d, expected 20 to %d", n, len(buf))
		}
		if _, err := io.ReadFull(in, buf[4:n]); err != nil {
			return err
		}
		w.arrived(radius.Code(buf[0]), buf[1])
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
