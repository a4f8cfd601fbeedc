package load

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"sync"
	"time"

	"radsec-gw/dtlsfront/record"
	"radsec-gw/udpback/datagram"
)

// dtlsConnection is one session of RADIUS/DTLS, with a socket of its own. Each packet is one
// record in one datagram, as RFC 7360 §5.1 demands; up to datagram.BatchSize are moved with one
// system call.
type dtlsConnection struct {
	// static after construction
	raw    *net.UDPConn
	socket datagram.Conn // the same in batches
	read   func() ([]byte, bool)
	ended  func() // ends read

	// owned by the reader
	opener  *record.Opener
	readErr error // why read returned nothing

	mu     sync.Mutex // guards what follows
	sealer *record.Sealer
	out    [][]byte // sealed, not sent yet
	err    error
}

// dtlsDialer opens sessions that share the memory to send from and to receive into.
type dtlsDialer struct {
	mu   sync.Mutex
	raw  *net.UDPConn // that wrap is about
	wrap func(netip.Addr, netip.AddrPort) (datagram.Conn, error)
}

func newDTLSDialer() *dtlsDialer {
	d := &dtlsDialer{}
	d.wrap = datagram.NewDialer(func(netip.Addr, netip.AddrPort) (net.Conn, error) { return d.raw, nil })
	return d
}

// dial opens the session with index i. The socket gets its batches only after the handshake,
// which needs deadlines.
func (d *dtlsDialer) dial(ctx context.Context, cfg *Config, i int) (*dtlsConnection, error) {
	to, err := netip.ParseAddrPort(cfg.Address)
	if err != nil {
		return nil, err
	}
	raw, err := datagram.DialUDP(netip.AddrFrom4([4]byte(source(i).To4())), to)
	if err != nil {
		return nil, err
	}
	c := &dtlsConnection{raw: raw.(*net.UDPConn)}
	if err := c.handshake(ctx, cfg.TLS); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("handshake of session %d: %w", i+1, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.raw = c.raw
	if c.socket, err = d.wrap(netip.Addr{}, to); err != nil {
		_ = raw.Close()
		return nil, err
	}
	c.read, c.ended = iter.Pull(c.datagrams)
	return c, nil
}

// datagrams is all that arrives, and nil each time that there was an error, which readErr has.
// As a coroutine it lets the reader take one datagram at a time from a batch.
func (c *dtlsConnection) datagrams(yield func([]byte) bool) {
	more := true
	handle := func(in *datagram.Inbox) {
		for i := 0; i < in.Len() && more; i++ {
			more = yield(in.Datagram(i))
		}
		if !more {
			_ = c.wake(time.Unix(1, 0)) // Receive returns
			return
		}
		_ = c.flush() // Receive waits next; put has the error
	}
	for more {
		if c.readErr = c.flush(); c.readErr == nil {
			c.readErr = c.socket.Receive(handle)
		}
		more = more && yield(nil)
	}
}

// next implements connection.
func (c *dtlsConnection) next() ([]byte, error) {
	for {
		d, _ := c.read()
		if d == nil {
			return nil, c.readErr
		}
		r, _, ok := record.Next(d, 0)
		if !ok {
			return nil, errors.New("the relay sent a datagram that begins with no record")
		}
		if r.Epoch != epoch { // the last flight of the handshake once more
			continue
		}
		kind, p, ok := c.opener.Open(&r)
		switch {
		case !ok:
			return nil, errors.New("the relay sent a record that does not open")
		case kind == record.Alert:
			return nil, fmt.Errorf("the relay sent the alert %x", p)
		case kind == record.ApplicationData && len(p) >= 20:
			return p, nil
		}
	}
}

// put implements connection.
func (c *dtlsConnection) put(p []byte) error { return c.seal(record.ApplicationData, p) }

func (c *dtlsConnection) seal(kind byte, content []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.out)
	if n == datagram.BatchSize {
		c.send()
		n = 0
	}
	if cap(c.out) == 0 {
		c.out = make([][]byte, 0, datagram.BatchSize)
	}
	c.out = c.out[:n+1] // with the memory of an earlier one
	c.out[n] = c.sealer.Seal(c.out[n][:0], kind, content)
	return c.err
}

// flush implements connection.
func (c *dtlsConnection) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) > 0 {
		c.send()
	}
	return c.err
}

// send sends what is sealed; mu is held.
func (c *dtlsConnection) send() {
	if c.err == nil {
		_, c.err = c.socket.Send(c.out)
	}
	c.out = c.out[:0]
}

// wake implements connection.
func (c *dtlsConnection) wake(at time.Time) error { return c.raw.SetReadDeadline(at) }

// kill implements connection.
func (c *dtlsConnection) kill() { _ = c.raw.Close() }

// finish implements connection. The coroutine holds the socket while it waits for its reader,
// and closing the socket would wait for that.
func (c *dtlsConnection) finish() {
	c.ended()
	_ = c.seal(record.Alert, []byte{1, 0}) // warning, close_notify (RFC 5246 §7.2)
	_ = c.flush()
	c.kill()
}
