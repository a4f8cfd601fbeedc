package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/bench/packets"
)

// idle is a connection that is used for nothing but one Status-Server.
type idle struct {
	ask   func() error
	close func()
}

// Idle opens n connections of cfg that send nothing, calls measure while they are open, checks
// with a Status-Server that each is still served, and closes them.
func Idle(ctx context.Context, cfg Config, n int, measure func()) error {
	if err := OnlyLoopback(cfg.Address); err != nil {
		return err
	}
	all := make([]idle, n)
	defer func() {
		for _, c := range all {
			if c.close != nil {
				c.close()
			}
		}
	}()
	sessions := newDTLSDialer()
	err := parallel(ctx, n, dialers, func(ctx context.Context, i int) (err error) {
		if cfg.DTLS {
			all[i], err = sessions.idle(ctx, &cfg, i)
		} else {
			all[i], err = idleTLS(ctx, &cfg, i)
		}
		return err
	})
	if err != nil {
		return err
	}
	measure()
	return parallel(ctx, n, dialers, func(_ context.Context, i int) error {
		if err := all[i].ask(); err != nil {
			return fmt.Errorf("idle connection %d does not answer Status-Server: %w", i+1, err)
		}
		return nil
	})
}

// idleTLS has no buffers, unlike dialTLS: there are ten thousand.
func idleTLS(ctx context.Context, cfg *Config, i int) (idle, error) {
	raw, err := dial(ctx, cfg.Address, i)
	if err != nil {
		return idle{}, err
	}
	c := tls.Client(raw, cfg.TLS)
	if err := c.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return idle{}, fmt.Errorf("handshake of idle connection %d: %w", i+1, err)
	}
	return idle{ask: func() error { return AskStatus(c, statusTimeout) }, close: func() { _ = raw.Close() }}, nil
}

func (d *dtlsDialer) idle(ctx context.Context, cfg *Config, i int) (idle, error) {
	c, err := d.dial(ctx, cfg, i)
	if err != nil {
		return idle{}, err
	}
	return idle{ask: func() error { return c.askStatus(statusTimeout) }, close: c.finish}, nil
}

// HandshakeReport is what Handshakes found.
type HandshakeReport struct {
	Done     uint64        `json:"done"`
	Resumed  uint64        `json:"resumed"`
	Rate     float64       `json:"rate"` // a second
	Duration time.Duration `json:"duration_ns"`
}

// Handshakes opens and closes connections one after the other on each of workers
// goroutines. The first of each worker makes an exchange, which proves that the
// relay serves such clients; the others end without one, so that nothing but
// connecting, the handshake and closing is measured. When resume is set, sessions
// are resumed where the relay allows it. Measured is called after each worker has
// made one connection, and at the end.
func Handshakes(ctx context.Context, cfg Config, resume bool, workers int) (HandshakeReport, error) {
	if err := OnlyLoopback(cfg.Address); err != nil {
		return HandshakeReport{}, err
	}
	var r HandshakeReport
	var done, resumed, number atomic.Uint64
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	clients := make([]*handshaker, workers)
	for i := range clients {
		c := cfg.TLS.Clone()
		if resume {
			c.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		}
		clients[i] = &handshaker{config: c, address: cfg.Address, maker: packets.NewMaker(cfg.Secret), timeout: cfg.Timeout}
		if _, err := clients[i].once(ctx, int(number.Add(1)), true); err != nil {
			return r, err
		}
	}
	cfg.measured(false)
	from := time.Now()
	for _, h := range clients {
		wg.Go(func() {
			for time.Since(from) < cfg.Duration && ctx.Err() == nil {
				again, err := h.once(ctx, int(number.Add(1)), false)
				if err != nil {
					cancel(err)
					return
				}
				done.Add(1)
				if again {
					resumed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	r.Duration = time.Since(from)
	cfg.measured(true)
	r.Done, r.Resumed = done.Load(), resumed.Load()
	r.Rate = float64(r.Done) / r.Duration.Seconds()
	return r, context.Cause(ctx)
}

func (c *Config) measured(end bool) {
	if c.Measured != nil {
		c.Measured(end)
	}
}

type handshaker struct {
	config  *tls.Config
	address string
	maker   *packets.Maker
	timeout time.Duration
	buf     [packets.MaxLength]byte
}

// once opens a connection, makes one exchange if it is to, and closes it. It
// reads to the end, which is where a session ticket arrives, and a refusal would.
func (h *handshaker) once(ctx context.Context, number int, exchange bool) (resumed bool, err error) {
	raw, err := dial(ctx, h.address, number)
	if err != nil {
		return false, err
	}
	defer raw.Close() // a second time when all went well
	_ = raw.SetDeadline(time.Now().Add(h.timeout))
	t := newTransport(raw, 4096, func(c net.Conn) io.ReadWriter { return tls.Client(c, h.config) })
	c := t.stream.(*tls.Conn)
	if err := c.HandshakeContext(ctx); err != nil {
		return false, fmt.Errorf("handshake: %w", err)
	}
	if exchange {
		if err := h.exchange(t, number); err != nil {
			return false, err
		}
	}
	if err := t.closeAndDrain(); err != nil {
		return false, fmt.Errorf("the end of a connection: %w", err)
	}
	return c.ConnectionState().DidResume, nil
}

// exchange makes the one exchange of a connection.
func (h *handshaker) exchange(t *transport, number int) error {
	request := h.maker.Write(h.buf[:], packets.PAP, byte(number))
	ra := [16]byte(request[4:20])
	if err := t.put(request); err != nil {
		return err
	}
	reply, err := t.next()
	if err != nil {
		return fmt.Errorf("the first exchange of a connection: %w", err)
	}
	if !packets.Answers(packets.PAP, reply[0]) {
		return errors.New("the first exchange of a connection got no Access-Accept")
	}
	return h.maker.Verify(reply, packets.PAP, &ra)
}
