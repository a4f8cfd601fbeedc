package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"radsec-gw/wire"
)

// connection is one to the relay. Packets that are put gather until flush, or until next has
// to wait for more, sends them with one system call.
type connection interface {
	// next returns the next packet, and waits for it when there is none. The octets are valid
	// until the following call. A timeout leaves the connection usable.
	next() ([]byte, error)
	put(p []byte) error
	flush() error
	// wake ends a next that waits at that time, as a timeout.
	wake(at time.Time) error
	// kill closes the connection at once; calls in progress fail.
	kill()
	// finish tells the relay of the end, and closes the connection. No next may be in progress.
	finish()
}

// transport is one RadSec connection: TLS over a buffering connection. Each
// packet is one TLS record.
type transport struct {
	stream  io.ReadWriter // TLS
	wire    *buffered
	packets []byte // read but not yet handed out
	buf     []byte
}

// readBuffer is large enough for the TLS records of one read; a busy relay sends up to
// 256 short ones at once.
const readBuffer = 32 << 10

// buffered is the connection under TLS. Read belongs to one goroutine; mu
// guards what is to be written.
type buffered struct {
	net.Conn
	in  []byte // received, not yet read by TLS
	buf []byte // what in is a part of

	mu  sync.Mutex
	out []byte
	err error
}

func (b *buffered) Read(p []byte) (int, error) {
	if len(b.in) == 0 {
		if err := b.flush(); err != nil {
			return 0, err
		}
		n, err := b.Conn.Read(b.buf)
		if n == 0 {
			return 0, err
		}
		b.in = b.buf[:n]
	}
	n := copy(p, b.in)
	b.in = b.in[n:]
	return n, nil
}

func (b *buffered) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.out = append(b.out, p...)
	return len(p), b.err
}

func (b *buffered) flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.out) == 0 || b.err != nil {
		return b.err
	}
	_, b.err = b.Conn.Write(b.out)
	b.out = b.out[:0]
	return b.err
}

func newTransport(c net.Conn, buf int, secure func(net.Conn) io.ReadWriter) *transport {
	w := &buffered{Conn: c, buf: make([]byte, buf)}
	return &transport{stream: secure(w), wire: w, buf: make([]byte, 2*wire.MaxLength)}
}

func (t *transport) next() ([]byte, error) {
	for {
		n, err := wire.Cut(t.packets)
		if err != nil {
			return nil, fmt.Errorf("the relay sent garbage: %w", err)
		}
		if n > 0 {
			p := t.packets[:n]
			t.packets = t.packets[n:]
			return p, nil
		}
		kept := copy(t.buf, t.packets)
		t.packets = t.buf[:kept]
		n, err = t.stream.Read(t.buf[kept:])
		t.packets = t.buf[:kept+n]
		if err != nil && n == 0 {
			return nil, err
		}
	}
}

// put gathers one packet as one TLS record.
func (t *transport) put(p []byte) error {
	_, err := t.stream.Write(p)
	return err
}

func (t *transport) flush() error { return t.wire.flush() }

func (t *transport) wake(at time.Time) error { return t.wire.SetReadDeadline(at) }

func (t *transport) kill() { _ = t.wire.Close() }

// finish closes the connection as TLS wants it, with a close_notify, which a
// relay that does not read may delay for a second at most.
func (t *transport) finish() {
	if _, ok := t.stream.(*tls.Conn); ok {
		_ = t.closeWrite()
	}
	t.kill()
}

// closeWrite sends a close_notify. CloseWrite ends with a deadline in the past, to
// stop further writes: what was gathered still has to be sent.
func (t *transport) closeWrite() error {
	if err := t.stream.(*tls.Conn).CloseWrite(); err != nil {
		return err
	}
	_ = t.wire.SetWriteDeadline(time.Now().Add(time.Second))
	return t.wire.flush()
}

// closeAndDrain closes the connection and reads until the relay has closed it, too.
// An alert is an error, an end without close_notify is not.
func (t *transport) closeAndDrain() error {
	defer t.kill()
	if err := t.closeWrite(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, t.stream)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// dialers is how many handshakes are in progress at once.
const dialers = 16

// dialAll opens cfg.Connections connections, or none.
func dialAll(ctx context.Context, cfg *Config) ([]connection, error) {
	all := make([]connection, cfg.Connections)
	sessions := newDTLSDialer()
	err := parallel(ctx, cfg.Connections, dialers, func(ctx context.Context, i int) (err error) {
		var c connection
		if cfg.DTLS {
			c, err = sessions.dial(ctx, cfg, i)
		} else {
			c, err = dialTLS(ctx, cfg, i)
		}
		if err == nil {
			all[i] = c
		}
		return err
	})
	if err != nil {
		for _, t := range all {
			if t != nil {
				t.kill()
			}
		}
		return nil, err
	}
	return all, nil
}

// dialTLS opens the connection with index i.
func dialTLS(ctx context.Context, cfg *Config, i int) (connection, error) {
	c, err := dial(ctx, cfg.Address, i)
	if err != nil {
		return nil, err
	}
	t := newTransport(c, readBuffer, func(c net.Conn) io.ReadWriter { return tls.Client(c, cfg.TLS) })
	if err := t.stream.(*tls.Conn).HandshakeContext(ctx); err != nil {
		t.kill()
		return nil, fmt.Errorf("handshake of connection %d: %w", i+1, err)
	}
	if err := t.flush(); err != nil { // the client's Finished
		t.kill()
		return nil, err
	}
	return t, nil
}

// dial connects from one of 200 loopback addresses, so that ports of closed
// connections (TIME_WAIT) do not run out.
func dial(ctx context.Context, address string, i int) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: source(i)}}
	return d.DialContext(ctx, "tcp4", address)
}

// source is the address that connection i comes from.
func source(i int) net.IP { return net.IP{127, 0, 1, byte(1 + i%200)} }

// parallel calls do for 0 ≤ i < n from a number of goroutines, stops at the first error
// and returns it after all have ended.
func parallel(ctx context.Context, n, goroutines int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan int)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range work {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case work <- i:
		case <-ctx.Done():
		}
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}
