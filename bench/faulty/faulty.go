// Package faulty is a UDP RADIUS server to try a relay with: on command it loses,
// delays, doubles, reorders and corrupts what it is sent and sends, swallows
// everything, or dies and comes back. It makes packets by layeh.com/radius and package
// probe, and shares no code with the relay.
package faulty

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
)

// Config says where and how to answer. Addresses must be IPv4.
type Config struct {
	Name       string // begins each State, up to 32 octets; "": a random one
	Auth, Acct string // "127.0.0.1:1812"; port 0: any; "": none
	Secret     []byte
	Seed       uint64 // of everything random
	// Rounds is how many Access-Challenges a conversation has before its Accept,
	// 0..99. A State that this server has not issued is rejected and counted.
	Rounds int
	Faults Faults
}

// Counts is what a server has got and done since it was made.
type Counts struct {
	Got       map[radius.Code]uint64 // well-formed requests that verify, without lost ones
	Bad       uint64                 // datagrams that are not requests or do not verify
	Lost      uint64                 // lost on purpose, both ways, and swallowed
	Sent      uint64                 // replies, doubles included
	Corrupted uint64
	Foreign   uint64 // requests with the State of another server
}

// Server is one server with up to two ports.
type Server struct {
	// static after Listen
	cfg        Config
	auth, acct netip.AddrPort

	mu       sync.Mutex // guards the fields below
	faults   Faults
	rnd      *rand.Rand
	counts   Counts
	conns    []*net.UDPConn // nil while dead
	closed   bool
	readers  sync.WaitGroup
	delayed  func() // a reply delayed by Reorder
	sessions uint64
}

// Listen opens the ports and begins to answer; Close ends that.
func Listen(cfg Config) (*Server, error) {
	if len(cfg.Secret) == 0 {
		return nil, errors.New("faulty: the secret is empty; give one")
	}
	if cfg.Rounds < 0 || cfg.Rounds > 99 {
		return nil, fmt.Errorf("faulty: rounds: expected 0 to 99, got %d", cfg.Rounds)
	}
	s := &Server{cfg: cfg, faults: cfg.Faults, rnd: rand.New(rand.NewPCG(cfg.Seed, 1)), counts: Counts{Got: map[radius.Code]uint64{}}}
	if s.cfg.Name == "" {
		s.cfg.Name = fmt.Sprintf("%08x", s.rnd.Uint32())
	}
	if len(s.cfg.Name) > 32 {
		return nil, fmt.Errorf("faulty: name: expected up to 32 octets, got %d", len(s.cfg.Name))
	}
	var err error
	if s.auth, err = address(cfg.Auth); err != nil {
		return nil, err
	}
	if s.acct, err = address(cfg.Acct); err != nil {
		return nil, err
	}
	return s, s.Live()
}

func address(text string) (netip.AddrPort, error) {
	if text == "" {
		return netip.AddrPort{}, nil
	}
	a, err := netip.ParseAddrPort(text)
	if err == nil && !a.Addr().IsLoopback() {
		err = errors.New("expected an address of this machine's loopback")
	}
	if err != nil {
		return a, fmt.Errorf("faulty: address %q: %w", text, err)
	}
	return a, nil
}

// AuthPort is the port for Access-Request, 0 when there is none.
func (s *Server) AuthPort() int { return int(s.auth.Port()) }

// AcctPort is the port for Accounting-Request, 0 when there is none.
func (s *Server) AcctPort() int { return int(s.acct.Port()) }

// Live opens the ports, the same ones as before. It does nothing when they are open.
func (s *Server) Live() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns != nil || s.closed {
		return nil
	}
	for _, a := range []*netip.AddrPort{&s.auth, &s.acct} {
		if !a.IsValid() {
			continue
		}
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(*a))
		if err != nil {
			s.dieLocked()
			return fmt.Errorf("faulty: %w", err)
		}
		_ = c.SetReadBuffer(4 << 20) // as much as the system allows
		*a = c.LocalAddr().(*net.UDPAddr).AddrPort()
		s.conns = append(s.conns, c)
		s.readers.Go(func() { s.read(c) })
	}
	return nil
}

// Die closes the ports: datagrams to them are refused from now on.
func (s *Server) Die() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dieLocked()
}

func (s *Server) dieLocked() {
	for _, c := range s.conns {
		c.Close()
	}
	s.conns, s.delayed = nil, nil
}

// Close ends the server and waits until its goroutines have ended.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.dieLocked()
	s.mu.Unlock()
	s.readers.Wait()
}

// SetFaults replaces the faults from now on.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Faults returns the faults as they are now.
func (s *Server) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// Counts returns what has been counted so far.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Got = map[radius.Code]uint64{}
	for code, n := range s.counts.Got {
		c.Got[code] = n
	}
	return c
}

// read answers one port until it is closed.
func (s *Server) read(c *net.UDPConn) {
	buf := make([]byte, 4096)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil { // else an ICMP error of an earlier reply
			s.handle(c, buf[:n], from)
		}
	}
}

// handle handles one datagram as the faults say.
func (s *Server) handle(c *net.UDPConn, datagram []byte, from netip.AddrPort) {
	r, err := read(datagram, s.cfg.Secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &s.faults
	switch {
	case err != nil:
		s.counts.Bad++
		return
	case s.hits(f.DropIn):
		s.counts.Lost++
		return
	}
	s.counts.Got[r.Code]++
	if f.Stall || f.NoStatus && r.Code == radius.CodeStatusServer {
		s.counts.Lost++
		return
	}
	reply := s.decide(r)
	if reply == nil {
		s.counts.Bad++
		return
	}
	copies := 1
	if s.hits(f.Double) {
		copies = 2
	}
	for range copies {
		s.dispatch(c, reply, from)
	}
}

// hits draws a percentage. With mu held.
func (s *Server) hits(percent float64) bool { return percent > 0 && s.rnd.Float64()*100 < percent }

// decide makes the correct reply; nil for what is not a request. With mu held.
func (s *Server) decide(r *radius.Packet) []byte {
	switch r.Code {
	case radius.CodeStatusServer:
		return reply(r, radius.CodeAccessAccept, "")
	case radius.CodeAccountingRequest:
		return reply(r, radius.CodeAccountingResponse, "")
	case radius.CodeAccessRequest:
		code, state := s.converse(rfc2865.State_GetString(r))
		return reply(r, code, state)
	}
	return nil
}

// converse continues a conversation: its State is the server's name, a number
// of its own, and the rounds that remain. With mu held.
func (s *Server) converse(state string) (radius.Code, string) {
	if s.cfg.Rounds == 0 {
		return radius.CodeAccessAccept, ""
	}
	number, rounds := s.sessions, s.cfg.Rounds
	if state == "" {
		s.sessions++
	} else if n, err := fmt.Sscanf(state, s.cfg.Name+"/%d/%d", &number, &rounds); n != 2 || err != nil {
		s.counts.Foreign++
		return radius.CodeAccessReject, ""
	}
	if rounds == 0 {
		return radius.CodeAccessAccept, ""
	}
	return radius.CodeAccessChallenge, fmt.Sprintf("%s/%d/%d", s.cfg.Name, number, rounds-1)
}

// dispatch sends one reply, or loses, corrupts or delays it. With mu held.
func (s *Server) dispatch(c *net.UDPConn, reply []byte, to netip.AddrPort) {
	f := &s.faults
	if s.hits(f.DropOut) {
		s.counts.Lost++
		return
	}
	if s.hits(f.Corrupt) {
		s.counts.Corrupted++
		reply = append([]byte(nil), reply...)
		reply[4+s.rnd.IntN(16)] ^= byte(1 + s.rnd.IntN(255))
	}
	s.counts.Sent++
	wait := f.Delay
	if f.Jitter > 0 {
		wait += time.Duration(s.rnd.Int64N(int64(f.Jitter)))
	}
	send := func() { _, _ = c.WriteToUDPAddrPort(reply, to) } // a closed port: the server has died
	if s.hits(f.Reorder) && s.delayed == nil {
		once := sync.OnceFunc(send)
		s.delayed = once
		time.AfterFunc(wait+reorderHold, once)
		return
	}
	if wait > 0 {
		time.AfterFunc(wait, send)
		return
	}
	send()
	if s.delayed != nil { // it has been overtaken
		s.delayed()
		s.delayed = nil
	}
}
