package dtls

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// path is a path to a front on which datagrams are lost, doubled and late, for one client.
type path struct {
	near, far *net.UDPConn

	mu     sync.Mutex
	random *rand.Rand
	lose   int // percent of the datagrams, each way
	double int
	late   int
	client *net.UDPAddr
}

// newPath opens a path to an address.
func newPath(t *testing.T, to netip.AddrPort, seed uint64) *path {
	t.Helper()
	p := &path{random: rand.New(rand.NewPCG(seed, 0))}
	var err error
	if p.near, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	if p.far, err = net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to)); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(p.out)
	wg.Go(p.back)
	t.Cleanup(func() { p.near.Close(); p.far.Close(); wg.Wait() })
	return p
}

// port returns the port at the near end.
func (p *path) port() int { return p.near.LocalAddr().(*net.UDPAddr).Port }

func (p *path) out() {
	b := make([]byte, 20000)
	for {
		n, from, err := p.near.ReadFromUDP(b)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.client = from
		p.mu.Unlock()
		p.carry(bytes.Clone(b[:n]), func(d []byte) { p.far.Write(d) })
	}
}

func (p *path) back() {
	b := make([]byte, 20000)
	for {
		n, err := p.far.Read(b)
		if err != nil {
			return
		}
		p.mu.Lock()
		to := p.client
		p.mu.Unlock()
		p.carry(bytes.Clone(b[:n]), func(d []byte) { p.near.WriteToUDP(d, to) })
	}
}

// carry delivers a datagram, or does not.
func (p *path) carry(d []byte, deliver func([]byte)) {
	p.mu.Lock()
	lost, doubled, late := p.random.IntN(100) < p.lose, p.random.IntN(100) < p.double, p.random.IntN(100) < p.late
	p.mu.Unlock()
	switch {
	case lost:
		return
	case late:
		time.AfterFunc(20*time.Millisecond, func() { deliver(d) })
	default:
		deliver(d)
	}
	if doubled {
		deliver(d)
	}
}

// set changes the faults, in percent.
func (p *path) set(lose, double, late int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose, p.double, p.late = lose, double, late
}
