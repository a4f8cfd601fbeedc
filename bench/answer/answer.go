// Package answer is a fast UDP RADIUS server for measurements: it answers every
// request positively, with right signatures, many datagrams a system call.
package answer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Config says where and how to answer. Addresses must be IPv4.
type Config struct {
	Auth, Acct string // "127.0.0.1:1812"; port 0: any
	Secret     []byte
	Delay      time.Duration // between a request and its reply
	Drop       float64       // percentage of requests that get no reply, 0..100
	Keys       bool          // EAP is accepted, with both MS-MPPE keys, instead of challenged
	Verify     bool          // requests are checked; wrong ones are counted and get no reply
}

// Server answers on two ports. Its counters may be read while it runs.
type Server struct {
	Received, Bad, Dropped atomic.Uint64

	cfg        Config
	auth, acct *net.UDPConn
}

// Listen opens both ports.
func Listen(cfg Config) (*Server, error) {
	if len(cfg.Secret) == 0 {
		return nil, errors.New("answer: the secret is empty; give one")
	}
	s := &Server{cfg: cfg}
	var err error
	if s.auth, err = listen(cfg.Auth); err != nil {
		return nil, err
	}
	if s.acct, err = listen(cfg.Acct); err != nil {
		s.auth.Close()
		return nil, err
	}
	return s, nil
}

func listen(address string) (*net.UDPConn, error) {
	a, err := net.ResolveUDPAddr("udp4", address)
	if err != nil {
		return nil, fmt.Errorf("answer: address %q: %w", address, err)
	}
	return net.ListenUDP("udp4", a)
}

// AuthPort and AcctPort are the ports that were opened.
func (s *Server) AuthPort() int { return s.auth.LocalAddr().(*net.UDPAddr).Port }

// AcctPort is the accounting port.
func (s *Server) AcctPort() int { return s.acct.LocalAddr().(*net.UDPAddr).Port }

// Serve answers until ctx ends, and returns after its goroutines have ended.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		s.auth.Close()
		s.acct.Close()
	})
	defer stop()
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, c := range []*net.UDPConn{s.auth, s.acct} {
		wg.Go(func() {
			defer cancel()
			if err := s.serve(c); !errors.Is(err, net.ErrClosed) {
				errs[i] = err
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// serve answers one port: receive what is there, answer it, send the answers.
func (s *Server) serve(c *net.UDPConn) error {
	sock, err := newSocket(c)
	if err != nil {
		return err
	}
	r := newReplier(s.cfg.Secret, s.cfg.Keys, s.cfg.Verify)
	in, out := newBatch(4096), newBatch(replySize)
	var late *delayer
	if s.cfg.Delay > 0 {
		late = startDelayer(sock, s.cfg.Delay)
		defer late.stop()
	}
	for {
		if err := sock.receive(in); err != nil {
			return err
		}
		if late != nil {
			out = late.empty()
		}
		s.answer(r, in, out)
		switch {
		case late != nil:
			late.put(out)
		case out.n > 0:
			if err := sock.send(out); err != nil {
				return err
			}
		}
	}
}

// answer fills out with the replies to in.
func (s *Server) answer(r *replier, in, out *batch) {
	out.n = 0
	var bad, dropped uint64
	for i := range in.n {
		if s.cfg.Drop > 0 && rand.Float64()*100 < s.cfg.Drop {
			dropped++
			continue
		}
		n, wrong := r.write(out.room(), in.datagram(i))
		if wrong {
			bad++
			continue
		}
		out.append(n, &in.peers[i])
	}
	s.Received.Add(uint64(in.n))
	if bad > 0 {
		s.Bad.Add(bad)
	}
	if dropped > 0 {
		s.Dropped.Add(dropped)
	}
}
