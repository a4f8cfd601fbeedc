package probe

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"layeh.com/radius"
)

// Conn is a RadSec connection that stays open after its first request was answered, so that the
// server can send CoA-Requests and Disconnect-Requests on it.
type Conn struct {
	conn     net.Conn
	radius11 bool
	t        *transcript
	last     []byte   // the last request that was sent
	early    [][]byte // requests of the server that arrived before the reply to the first request
}

// Open is like [Run], but leaves the connection open. The Conn is nil if there is an error. The
// Conn's transcript goes to w, too.
func Open(ctx context.Context, cfg Config, w io.Writer) (*Conn, *Result, error) {
	cfg = cfg.withDefaults()
	r := &Result{}
	request, err := newRequest(&cfg)
	if err != nil {
		return nil, r, &ConfigError{err}
	}
	sent, err := Sign(request)
	if err != nil {
		return nil, r, &ConfigError{fmt.Errorf("the request cannot be encoded: %w", err)}
	}
	var conn net.Conn
	if cfg.DTLS {
		conn, r.TLS, err = dialDTLS(ctx, &cfg)
	} else {
		conn, r.TLS, err = dial(ctx, &cfg)
	}
	if err != nil {
		return nil, r, err
	}
	c := &Conn{conn: conn, t: &transcript{w: w, secret: []byte(cfg.Secret)}}
	c.t.connected(&cfg, r.TLS)
	if err := c.begin(ctx, &cfg, request, sent, r); err != nil {
		conn.Close()
		return nil, r, err
	}
	return c, r, nil
}

// begin sends the first request, encoded as sent for RADIUS/1.0, and verifies the reply.
func (c *Conn) begin(ctx context.Context, cfg *Config, request *radius.Packet, sent []byte, r *Result) (err error) {
	if r.Radius11, err = agreed11(cfg.Version, r.TLS); err != nil {
		return err
	}
	if r.Radius11 {
		if sent, err = encode11(request, cfg.Password); err != nil {
			return &ConfigError{err}
		}
	}
	r.Sent, c.radius11, c.last = sent, r.Radius11, sent
	if err := c.t.sent(r); err != nil {
		return err
	}
	if r.Received, c.early, r.Took, err = exchange(ctx, c.conn, sent, cfg.Timeout); err != nil {
		return fmt.Errorf("no reply to the %v: %w", request.Code, err)
	}
	if err := r.verify(c.t.secret); err != nil {
		return err
	}
	if err := c.t.received(r); err != nil {
		return err
	}
	return c.conn.SetDeadline(time.Time{})
}

// nextStatus returns a Status-Server with the Identifier or Token after that of the last request.
func (c *Conn) nextStatus() ([]byte, error) {
	cfg := Config{Kind: Status, Secret: string(c.t.secret)}.withDefaults()
	request, err := newRequest(&cfg)
	if err != nil {
		return nil, err
	}
	if c.radius11 {
		b, err := encode11(request, "")
		if err == nil {
			binary.BigEndian.PutUint32(b[4:], binary.BigEndian.Uint32(c.last[4:])+1)
		}
		return b, err
	}
	request.Identifier = c.last[1] + 1
	return Sign(request)
}

// Close closes the connection.
func (c *Conn) Close() error { return c.conn.Close() }
