// Package floor is the least that a RadSec relay can do: cut TLS into packets,
// pass each to UDP with one system call, and back. It checks and rewrites
// nothing. What a real relay costs more than this is the price of its work.
package floor

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// Config says where the relay listens and what it passes packets to. The
// server's secret must be the client's ("radsec"): nothing is signed again.
type Config struct {
	Listen     string // "127.0.0.1:2083"
	Auth, Acct string // UDP servers
	TLS        *tls.Config
}

// Serve relays until ctx ends, and returns after its goroutines have ended.
// Each connection has UDP sockets of its own, so that identifiers need no mapping.
func Serve(ctx context.Context, cfg Config) error {
	listener, err := tls.Listen("tcp4", cfg.Listen, cfg.TLS)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		c, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		wg.Go(func() { _ = connection(ctx, cfg, c) }) // a broken connection is the client's to report
	}
}

func connection(ctx context.Context, cfg Config, c net.Conn) error {
	auth, err := net.Dial("udp4", cfg.Auth)
	if err != nil {
		return errors.Join(err, c.Close())
	}
	acct, err := net.Dial("udp4", cfg.Acct)
	if err != nil {
		return errors.Join(err, auth.Close(), c.Close())
	}
	closeAll := func() {
		_ = c.Close()
		_ = auth.Close()
		_ = acct.Close()
	}
	stop := context.AfterFunc(ctx, closeAll)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { back(c, auth) })
	wg.Go(func() { back(c, acct) })
	err = forth(c, auth, acct)
	closeAll()
	wg.Wait()
	return err
}

// forth passes requests on.
func forth(c, auth, acct net.Conn) error {
	buf := make([]byte, 2*wire.MaxLength)
	kept := 0
	for {
		n, err := c.Read(buf[kept:])
		if err != nil {
			return err
		}
		kept += n
		rest := buf[:kept]
		for {
			length, err := wire.Cut(rest)
			if err != nil {
				return err
			}
			if length == 0 {
				break
			}
			server := auth
			if rest[0] == byte(radius.CodeAccountingRequest) {
				server = acct
			}
			_, _ = server.Write(rest[:length]) // UDP may lose
			rest = rest[length:]
		}
		kept = copy(buf, rest)
	}
}

// back passes replies on.
func back(c, server net.Conn) {
	buf := make([]byte, wire.MaxLength)
	for {
		n, err := server.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error for an earlier datagram
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}
