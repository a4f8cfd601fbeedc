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

	"radsec-gw/udpback/datagram"
)

// Config says where and how to answer. Addresses must be IPv4.
type Config struct {
	Auth, Acct string // "127.0.0.1:1812"; port 0: any
	Secret     []byte
	Delay      time.Duration // between a request and its reply
	Drop       float64       // percentage of requests that get no reply, 0..100
	Keys       bool          // EAP is accepted, with both MS-MPPE keys, instead of challenged
	Verify     bool          // requests are verified; wrong ones are counted and get no reply
}

// Server answers on two ports. Its counters may be read while it runs.
type Server struct {
	Received, Bad, Dropped atomic.Uint64

	cfg        Config
	auth, acct port
}

// port is an open port and its number.
type port struct {
	socket *datagram.Listener
	number int
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
		s.auth.socket.Close()
		return nil, err
	}
	return s, nil
}

func listen(address string) (port, error) {
	a, err := net.ResolveUDPAddr("udp4", address)
	if err != nil {
		return port{}, fmt.Errorf("answer: address %q: %w", address, err)
	}
	c, err := net.ListenUDP("udp4", a)
	if err != nil {
		return port{}, err
	}
	enlargeBuffers(c)
	socket, err := datagram.NewListener(c)
	if err != nil {
		return port{}, errors.Join(err, c.Close())
	}
	return port{socket, c.LocalAddr().(*net.UDPAddr).Port}, nil
}

// AuthPort is the port for Access-Request that was opened.
func (s *Server) AuthPort() int { return s.auth.number }

// AcctPort is the port for Accounting-Request that was opened.
func (s *Server) AcctPort() int { return s.acct.number }

// Serve answers until ctx ends, and returns after its goroutines have ended.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		s.auth.socket.Close()
		s.acct.socket.Close()
	})
	defer stop()
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, p := range []port{s.auth, s.acct} {
		wg.Go(func() {
			defer cancel()
			errs[i] = s.serve(p.socket)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// serve answers one port until it is closed: receive what is there, answer it, send the
// replies.
func (s *Server) serve(socket *datagram.Listener) error {
	r := newReplier(s.cfg.Secret, s.cfg.Keys, s.cfg.Verify)
	out := new(replies)
	var late *delayer
	if s.cfg.Delay > 0 {
		late = startDelayer(socket, s.cfg.Delay)
		defer late.stop()
	}
	handle := func(in *datagram.Inbox) {
		if late != nil {
			out = late.empty()
		}
		s.answer(r, in, out)
		if late != nil {
			late.put(out)
		} else {
			out.send(socket)
		}
	}
	for {
		err := socket.Receive(handle)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case !datagram.IsUnreachable(err): // that is about an earlier reply
			return err
		}
	}
}

// answer fills out with the replies to in.
func (s *Server) answer(r *replier, in *datagram.Inbox, out *replies) {
	out.reset()
	var bad, dropped uint64
	for i := range in.Len() {
		if s.cfg.Drop > 0 && rand.Float64()*100 < s.cfg.Drop {
			dropped++
			continue
		}
		n, wrong := r.write(out.next(), in.Datagram(i))
		if wrong {
			bad++
			continue
		}
		out.add(n, in.Peer(i))
	}
	s.Received.Add(uint64(in.Len()))
	if bad > 0 {
		s.Bad.Add(bad)
	}
	if dropped > 0 {
		s.Dropped.Add(dropped)
	}
}
