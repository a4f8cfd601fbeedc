package gatewaytest

import (
	"bytes"
	"context"
	"crypto/tls"
	"path/filepath"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/bench/material"
	"radsec-gw/probe"
)

// Client is a RadSec connection with the client's certificate of a Dir.
type Client struct {
	t    testing.TB
	conn *tls.Conn
}

// Dial connects the client of dir to a gateway, whose secret is "radsec".
func Dial(t testing.TB, dir, address string) *Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	c, err := DialContext(ctx, t, dir, address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// DialContext is Dial for a gateway that may not listen yet: it tries until ctx is done.
func DialContext(ctx context.Context, t testing.TB, dir, address string) (*Client, error) {
	t.Helper()
	config, err := material.In(filepath.Join(dir, "certs/dev")).Client()
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	dialer := &tls.Dialer{Config: config}
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			t.Cleanup(func() { conn.Close() })
			return &Client{t: t, conn: conn.(*tls.Conn)}, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// Login sends an Access-Request and fails the test unless it is accepted.
func (c *Client) Login(user, password string) {
	c.t.Helper()
	c.login(func(p *radius.Packet) error {
		if err := rfc2865.UserPassword_SetString(p, password); err != nil {
			return err
		}
		return rfc2865.UserName_SetString(p, user)
	}, 1)
}

// atATime is how many Access-Requests Logins has in flight.
const atATime = 100

// Logins logs in n times, many at a time.
func (c *Client) Logins(n int) {
	c.t.Helper()
	for range n / atATime {
		c.login(func(p *radius.Packet) error {
			if err := rfc2865.CallingStationID_SetString(p, "02-00-5E-00-53-01"); err != nil {
				return err
			}
			return rfc2865.UserName_SetString(p, "a-user-with-a-name-of-some-length@example.org")
		}, atATime)
	}
}

// login sends n Access-Requests at once, and reads their answers.
func (c *Client) login(fill func(p *radius.Packet) error, n int) {
	c.t.Helper()
	var all [][]byte
	for id := range n {
		p := radius.New(radius.CodeAccessRequest, []byte("radsec"))
		p.Identifier = byte(id)
		if err := fill(p); err != nil {
			c.t.Fatal(err)
		}
		probe.AddMessageAuthenticator(p)
		b, err := probe.Sign(p)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, b)
	}
	c.conn.SetDeadline(time.Now().Add(Patience))
	if _, err := c.conn.Write(bytes.Join(all, nil)); err != nil {
		c.t.Fatalf("the gateway does not read: %v", err)
	}
	for range all {
		reply, err := probe.ReadPacket(c.conn)
		if err != nil || radius.Code(reply[0]) != radius.CodeAccessAccept {
			c.t.Fatalf("a login got [% x] (%v), expected Access-Accept", reply, err)
		}
	}
}
