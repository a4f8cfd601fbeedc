package dtls

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"
)

// path is a path to a gateway on which a fifth of the datagrams of each direction is lost, a
// seventh doubled, and a sixth late, for one client. The number of a datagram in its direction says
// which: so none is lost however often it is sent again, and a test does not depend on luck.
type path struct {
	near, far *net.UDPConn

	mu     sync.Mutex // guards what follows
	good   bool       // there are no faults
	client *net.UDPAddr
	count  map[string]int
}

// newPath opens a path to an address.
func newPath(t *testing.T, to string) *path {
	t.Helper()
	p := &path{near: listenUDP(t), count: map[string]int{"lost": 0, "doubled": 0, "late": 0}}
	conn, err := net.Dial("udp4", to)
	if err != nil {
		t.Fatal(err)
	}
	p.far = conn.(*net.UDPConn)
	var wg sync.WaitGroup
	wg.Go(p.out)
	wg.Go(p.back)
	t.Cleanup(func() { p.near.Close(); p.far.Close(); wg.Wait() })
	return p
}

// address returns the address of the near end.
func (p *path) address() string { return p.near.LocalAddr().String() }

// expectFaults expects that there was each kind of fault.
func (p *path) expectFaults(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for which, n := range p.count {
		if n == 0 {
			t.Errorf("no datagram was %s", which)
		}
	}
}

func (p *path) out() {
	b := make([]byte, 20000)
	for number := 0; ; number++ {
		n, from, err := p.near.ReadFromUDP(b)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.client = from
		p.mu.Unlock()
		p.carry(number, bytes.Clone(b[:n]), func(d []byte) { p.far.Write(d) })
	}
}

func (p *path) back() {
	b := make([]byte, 20000)
	for number := 0; ; number++ {
		n, err := p.far.Read(b)
		if err != nil {
			return
		}
		p.mu.Lock()
		to := p.client
		p.mu.Unlock()
		p.carry(number, bytes.Clone(b[:n]), func(d []byte) { p.near.WriteToUDP(d, to) })
	}
}

// lateBy is longer than a datagram that is sent next takes.
const lateBy = 20 * time.Millisecond

// set has the path be without faults, or not.
func (p *path) set(good bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.good = good
}

// carry delivers a datagram, or does not.
func (p *path) carry(number int, d []byte, deliver func([]byte)) {
	p.mu.Lock()
	lost := !p.good && number%5 == 1
	doubled, late := !p.good && !lost && number%7 == 2, !p.good && !lost && number%6 == 3
	for which, is := range map[string]bool{"lost": lost, "doubled": doubled, "late": late} {
		if is {
			p.count[which]++
		}
	}
	p.mu.Unlock()
	if lost {
		return
	}
	if late {
		time.AfterFunc(lateBy, func() { deliver(d) })
	} else {
		deliver(d)
	}
	if doubled {
		deliver(d)
	}
}
