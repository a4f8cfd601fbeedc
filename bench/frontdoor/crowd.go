package frontdoor

import (
	"context"
	cryptorand "crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/probe"
)

// crowd is hostile peers. One that is disconnected connects again.
type crowd struct {
	// static after construction
	ctx     context.Context
	cancel  context.CancelFunc
	address string
	config  *tls.Config

	kinds []*kind

	wg sync.WaitGroup
}

// kind is a kind of hostile peer, with counts of them.
type kind struct {
	name    string
	count   int // how many there are at a time
	sources int // how many addresses they have together
	behave  func(c *crowd, raw net.Conn) error

	number       atomic.Int64
	connected    atomic.Int64
	disconnected atomic.Int64
}

// again is how long a disconnected peer waits, at random: if all connected at the same
// moment, the handshakes of this program would be measured.
func again() time.Duration {
	const about = time.Second
	return about/2 + rand.N(about)
}

func newCrowd(ctx context.Context, address string, config *tls.Config, kinds ...*kind) *crowd {
	c := &crowd{address: address, config: config, kinds: kinds}
	c.ctx, c.cancel = context.WithCancel(ctx)
	return c
}

// kinds are those of the first trial.
func (s Size) kinds() []*kind {
	const sources = 200
	return []*kind{
		{name: "unfinished handshakes", count: s.Unfinished, sources: sources, behave: unfinished},
		{name: "half packets", count: s.Halves, sources: sources, behave: half},
		{name: "deaf", count: s.Deaf, sources: sources, behave: deaf},
		{name: "noisy", count: s.Noisy, sources: sources, behave: noisy},
	}
}

func (c *crowd) start() {
	for _, k := range c.kinds {
		for range k.count {
			c.wg.Go(func() { c.live(k) })
		}
	}
}

func (c *crowd) stop() {
	c.cancel()
	c.wg.Wait()
}

// allConnected reports whether every peer has been connected once.
func (c *crowd) allConnected() bool {
	for _, k := range c.kinds {
		if k.connected.Load() < int64(k.count) {
			return false
		}
	}
	return true
}

// String returns how often each kind was connected and disconnected.
func (c *crowd) String() (s string) {
	for _, k := range c.kinds {
		s += fmt.Sprintf("%s: %d connected, %d disconnected; ", k.name, k.connected.Load(), k.disconnected.Load())
	}
	return s
}

// live is one peer. Their addresses are 127.0.0.2 and so on.
func (c *crowd) live(k *kind) {
	source := net.IPv4(127, 0, 0, byte(2+k.number.Add(1)%int64(k.sources)))
	for c.ctx.Err() == nil {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: source}}
		raw, err := dialer.DialContext(c.ctx, "tcp4", c.address)
		if err == nil {
			stop := context.AfterFunc(c.ctx, func() { raw.Close() })
			k.connected.Add(1)
			if k.behave(c, raw) != nil && c.ctx.Err() == nil {
				k.disconnected.Add(1)
			}
			stop()
			raw.Close()
		}
		select {
		case <-c.ctx.Done():
		case <-time.After(again()):
		}
	}
}

// silent sends nothing.
func silent(_ *crowd, raw net.Conn) error { return untilEnd(raw) }

// unfinished sends the beginning of a ClientHello and nothing more.
func unfinished(_ *crowd, raw net.Conn) error {
	if _, err := raw.Write([]byte{22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3, 1, 2, 3}); err != nil {
		return err
	}
	return untilEnd(raw)
}

// half sends the beginning of a packet and nothing more.
func half(c *crowd, raw net.Conn) error {
	t := tls.Client(raw, c.config)
	if _, err := t.Write([]byte{1, 1, 0, 100, 1, 2, 3, 4, 5, 6}); err != nil {
		return err
	}
	return untilEnd(t)
}

// deaf sends requests with long answers, ten a second, and reads none.
func deaf(c *crowd, raw net.Conn) error {
	if err := raw.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		return err
	}
	t := tls.Client(raw, c.config)
	time.Sleep(rand.N(100 * time.Millisecond))
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return c.ctx.Err()
		case <-tick.C:
		}
		ask, err := longStatus()
		if err != nil {
			return err
		}
		if _, err := t.Write(ask); err != nil {
			return err
		}
	}
}

// noisy sends what is not RADIUS.
func noisy(c *crowd, raw net.Conn) error {
	t := tls.Client(raw, c.config)
	b := make([]byte, 600)
	cryptorand.Read(b)
	b[2] = 0xff // a Length beyond every packet's
	if _, err := t.Write(b); err != nil {
		return err
	}
	return untilEnd(t)
}

// untilEnd reads until the connection ends; its error is never nil.
func untilEnd(c net.Conn) error {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	return io.EOF
}

// longStatus returns a Status-Server with so many Proxy-States that the answer, which has
// them all, is of nearly the longest size.
func longStatus() ([]byte, error) {
	p := radius.New(radius.CodeStatusServer, []byte("radsec"))
	for range 15 {
		p.Add(rfc2865.ProxyState_Type, make([]byte, 253))
	}
	probe.AddMessageAuthenticator(p)
	return probe.Sign(p)
}
