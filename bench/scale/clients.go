package scale

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/bench/faults"
	"radsec-gw/probe"
)

// client is a connection from the address of one client.
type client struct{ conn *tls.Conn }

// patience bounds the wait for one client's answers.
const patience = 30 * time.Second

// touch connects each client and lets it log in once to each of its part of the routes, so
// that all clients, servers and routes have traffic. The connections stay open.
func (b *bed) touch(ctx context.Context, env *faults.Env, size Size) error {
	for i := range size.Clients {
		d := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source(i))}}, Config: env.Client}
		conn, err := d.DialContext(ctx, "tcp", b.address)
		if err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
		c := &client{conn.(*tls.Conn)}
		b.clients = append(b.clients, c)
		var routes []int
		for r := i; r < size.Routes; r += size.Clients {
			routes = append(routes, r)
		}
		if err := c.login(routes); err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
	}
	return nil
}

// login sends an Access-Request to each of the routes at once, and reads the answers.
func (c *client) login(routes []int) error {
	var all [][]byte
	for id, route := range routes {
		p := radius.New(radius.CodeAccessRequest, []byte("radsec"))
		p.Identifier = byte(id)
		if err := rfc2865.UserName_SetString(p, "user@"+realm(route)); err != nil {
			return err
		}
		if err := rfc2865.UserPassword_SetString(p, "a password"); err != nil {
			return err
		}
		probe.AddMessageAuthenticator(p)
		packet, err := probe.Sign(p)
		if err != nil {
			return err
		}
		all = append(all, packet)
	}
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.conn.Write(bytes.Join(all, nil)); err != nil {
		return err
	}
	for range all {
		reply, err := probe.ReadPacket(c.conn)
		if err != nil {
			return err
		}
		if code := radius.Code(reply[0]); code != radius.CodeAccessAccept {
			return fmt.Errorf("a login got %v, expected Access-Accept", code)
		}
	}
	return nil
}
