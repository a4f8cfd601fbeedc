package udpback

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"layeh.com/radius"

	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

// counting is a socket that notes how many datagrams each send has.
type counting struct {
	datagram.Conn
	mu    *sync.Mutex
	sends *[]int
}

func (c counting) Send(bufs [][]byte) (int, error) {
	c.mu.Lock()
	*c.sends = append(*c.sends, len(bufs))
	c.mu.Unlock()
	return c.Conn.Send(bufs)
}

// longOwner writes the longest packet.
type longOwner struct{ *owner }

func (o *longOwner) Write(d *wire.Digests, dst []byte, s Hop, id wire.ServerID) (int, error) {
	if _, err := o.owner.Write(d, dst, s, id); err != nil {
		return 0, err
	}
	dst[2], dst[3] = wire.MaxLength>>8, wire.MaxLength&0xff
	return wire.MaxLength, nil
}

// A batch is sent with one system call for each socket, and in between when it is full:
// of packets, or of octets.
func TestBatchIsOneCallForEachSocket(t *testing.T) {
	for _, row := range []struct {
		name string
		a, b int // requests to each server, in turn
		long bool
		want []int
	}{
		{name: "one", a: 1, want: []int{1}},
		{name: "two servers", a: 10, b: 5, want: []int{10, 5}},
		{name: "many", a: wire.MaxDigests + 8, want: []int{wire.MaxDigests, 8}},
		{name: "as many as there may be", a: wire.MaxDigests, want: []int{wire.MaxDigests}},
		{name: "long ones", a: 20, long: true, want: []int{16, 4}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			var mu sync.Mutex
			var sends []int
			dial := f.backend.dial
			f.backend.dial = func(from netip.Addr, to netip.AddrPort) (datagram.Conn, error) {
				d, err := dial(from, to)
				return counting{d, &mu, &sends}, err
			}
			a, b := f.server(t, "a", nil), f.server(t, "b", nil)
			defer a.Close()
			defer b.Close()
			ga, gb := f.group(t, Failover, a), f.group(t, Failover, b)
			batch := f.backend.AcquireBatch()
			start := func(g *Group) {
				o := newOwner(radius.CodeAccountingRequest)
				if row.long {
					o.Handler = &longOwner{o}
				}
				if err := g.Start(&o.Exchange, batch); err != nil {
					t.Fatal(err)
				}
			}
			for i := range row.a {
				start(ga)
				if i < row.b {
					start(gb)
				}
			}
			batch.Flush()
			f.backend.ReleaseBatch(batch)
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(sends, row.want) {
				t.Errorf("%s: sends of %v datagrams, expected %v", row.name, sends, row.want)
			}
			if n := f.count(t, "radsec_gw_server_requests_sent_total", "server", "a", "port", "acct"); n != float64(row.a) {
				t.Errorf("%s: %v requests are counted as sent to a, expected %d", row.name, n, row.a)
			}
		})
	}
}

// brokenSender is a socket that sends some of the datagrams, and returns an error.
type brokenSender struct {
	*nowhere
	sent int
	err  error
}

func (s *brokenSender) Send([][]byte) (int, error) { return s.sent, s.err }

// An error although everything was sent is about an earlier datagram: the batch has no
// error.
func TestErrorOfBatch(t *testing.T) {
	for _, row := range []struct {
		sent int
		err  error
		want error
	}{
		{3, nil, nil},
		{3, syscall.ECONNREFUSED, nil},
		{2, syscall.EHOSTUNREACH, syscall.EHOSTUNREACH},
		{0, syscall.EPERM, syscall.EPERM},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.backend.dial = func(netip.Addr, netip.AddrPort) (datagram.Conn, error) {
				return &brokenSender{newNowhere(), row.sent, row.err}, nil
			}
			s := f.server(t, "a", nil)
			defer s.Close()
			g := f.group(t, Failover, s)
			b := f.backend.AcquireBatch()
			for range 3 {
				if err := g.Start(&newOwner(radius.CodeAccountingRequest).Exchange, b); err != nil {
					t.Fatal(err)
				}
			}
			b.Flush()
			if !errors.Is(b.err, row.want) {
				t.Errorf("%d of 3 sent and %v: the batch's error is %v, expected %v", row.sent, row.err, b.err, row.want)
			}
			f.backend.ReleaseBatch(b)
			if n := f.count(t, "radsec_gw_server_requests_sent_total", "port", "acct"); n != float64(row.sent) {
				t.Errorf("%v requests are counted as sent, expected %d", n, row.sent)
			}
		})
	}
}

// noisy is a connection that puts its name down when it is flushed.
type noisy struct {
	name    string
	flushed *[]string
}

func (c *noisy) Flush() { *c.flushed = append(*c.flushed, c.name) }

// Each connection is flushed once, in the order in which the batch came to them; the
// next batch begins with none. In the long run a batch allocates nothing.
func TestTouched(t *testing.T) {
	var flushed []string
	a, b := &noisy{"a", &flushed}, &noisy{"b", &flushed}
	var touched Touched
	for _, conn := range []*noisy{b, a, b, b, a} {
		touched.Add(conn)
	}
	if flushed != nil {
		t.Errorf("flushed before the batch was complete: %v", flushed)
	}
	touched.Flush()
	touched.Flush()
	touched.Add(a)
	touched.Flush()
	if want := []string{"b", "a", "a"}; !slices.Equal(flushed, want) {
		t.Errorf("flushed %v, expected %v", flushed, want)
	}
	n := testing.AllocsPerRun(100, func() {
		flushed = flushed[:0]
		touched.Add(a)
		touched.Add(b)
		touched.Flush()
	})
	if n != 0 {
		t.Errorf("%v allocations for a batch, expected none", n)
	}
}

// Packets lie one after the other, each at the beginning of a line of the processor's
// cache, and none overlaps another; the arena is full when the longest no longer fits.
func TestArena(t *testing.T) {
	a := new(arena)
	at := 0
	for i, length := range []int{20, 64, 65, 4096, 1, 63, 128} {
		space := a.space()
		if len(space) != wire.MaxLength || cap(space) != wire.MaxLength {
			t.Fatalf("packet %d has space for %d octets, %d with the capacity; expected %d", i, len(space), cap(space), wire.MaxLength)
		}
		if &space[0] != &a.octets[at] {
			t.Errorf("packet %d does not begin at octet %d", i, at)
		}
		a.use(length)
		at += (length + 63) / 64 * 64
	}
	a.reset()
	packets := 0
	for ; !a.full(); packets++ {
		a.space()
		a.use(wire.MaxLength)
	}
	if packets != 16 {
		t.Errorf("%d of the longest packets fit, expected 16", packets)
	}
	a.reset()
	a.use(arenaSize - wire.MaxLength + 1)
	if !a.full() {
		t.Error("the arena is not full when the longest packet does not fit any more")
	}
}
