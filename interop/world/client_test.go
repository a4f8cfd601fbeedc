//go:build linux

package world

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
)

// radsec is the secret of the RadSec side (RFC 6614 §2.3).
var radsec = []byte("radsec")

// client is a RadSec connection from within the gateway's namespace. Its methods
// may be called from any goroutine.
type client struct {
	// static after construction
	conn   *tls.Conn
	reader sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	next    byte
	waiting map[[2]byte]*exchange // by kind and Identifier
	broken  error
}

// exchange is a request of a client and its outcome.
type exchange struct {
	// static after construction
	user   string
	packet []byte // as sent
	sent   time.Time
	done   chan struct{} // closed when the reply is here, or the connection has ended

	// written before done is closed
	code  radius.Code // 0: no reply
	took  time.Duration
	state string
	text  string // Reply-Message
}

// message is what a request is made of.
type message struct {
	code  radius.Code // 0: Access-Request
	user  string
	state string
	back  []byte // Proxy-State, as from a server that proxies
	size  int    // at least so many octets, filled up by EAP-Message

	password string // "": the one that the users have
}

// dial opens a RadSec connection to the gateway.
func (w *world) dial() *client {
	w.t.Helper()
	c, err := w.tryDial()
	w.must(err)
	return c
}

// dialFrom is dial from an address in 127.0.0.0/8.
func (w *world) dialFrom(source string) *client {
	w.t.Helper()
	c, err := w.tryDialFrom(source)
	w.must(err)
	return c
}

func (w *world) tryDial() (*client, error) { return w.tryDialFrom("127.0.0.1") }

func (w *world) tryDialFrom(source string) (*client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	raw, err := w.gateway.dialFrom(ctx, source, "tcp", "127.0.0.1:2083")
	if err != nil {
		return nil, err
	}
	conn, err := tlsClient(ctx, raw)
	if err != nil {
		raw.Close()
		return nil, err
	}
	c := &client{conn: conn, waiting: map[[2]byte]*exchange{}}
	c.reader.Go(c.read)
	w.t.Cleanup(c.close)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clients = append(w.clients, c)
	return c, nil
}

// tlsClient does the handshake of a client that the gateway knows.
func tlsClient(ctx context.Context, raw net.Conn) (*tls.Conn, error) {
	config, err := built.files.Client()
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return conn, nil
}

func (c *client) close() {
	c.conn.NetConn().Close()
	c.reader.Wait()
}

// login sends an Access-Request for a user, whose realm is what the user's name ends with.
func (c *client) login(user string) *exchange { return c.send(message{user: user}) }

// accounting sends an Accounting-Request (Start).
func (c *client) accounting(user string) *exchange {
	return c.send(message{code: radius.CodeAccountingRequest, user: user})
}

// send sends a request and does not wait for its reply.
func (c *client) send(m message) *exchange {
	if m.code == 0 {
		m.code = radius.CodeAccessRequest
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &exchange{user: m.user, done: make(chan struct{})}
	key := [2]byte{byte(kind(m.code)), c.next}
	for tried := 0; c.waiting[key] != nil && tried < 256; tried++ {
		c.next++
		key[1] = c.next
	}
	if c.broken == nil && c.waiting[key] != nil {
		c.broken = fmt.Errorf("256 requests of a kind wait on one connection")
	}
	if c.broken != nil {
		close(e.done)
		return e
	}
	c.next++
	e.packet, e.sent = encode(m, key[1]), time.Now()
	c.waiting[key] = e
	if _, err := c.conn.Write(e.packet); err != nil {
		c.broken = err
		delete(c.waiting, key)
		close(e.done)
	}
	return e
}

// kind is the code of the requests that share Identifiers with those of a code:
// Status-Server is answered as Access-Request is.
func kind(code radius.Code) radius.Code {
	if code == radius.CodeStatusServer {
		return radius.CodeAccessRequest
	}
	return code
}

// encode is a request as octets.
func encode(m message, identifier byte) []byte {
	p := &radius.Packet{Code: m.code, Identifier: identifier, Secret: radsec}
	access := kind(m.code) == radius.CodeAccessRequest
	if access {
		_, _ = rand.Read(p.Authenticator[:]) // never fails
		p.Add(rfc2869.MessageAuthenticator_Type, make([]byte, md5.Size))
	}
	if m.code == radius.CodeStatusServer {
		return finish(p, access)
	}
	_ = rfc2865.UserName_SetString(p, m.user)
	_ = rfc2865.NASIdentifier_SetString(p, "nas.world.test")
	station := md5.Sum([]byte(m.user))
	_ = rfc2865.CallingStationID_SetString(p, fmt.Sprintf("02-00-%X-%X-%X-%X", station[0], station[1], station[2], station[3]))
	switch m.code {
	case radius.CodeAccessRequest:
		if m.size == 0 {
			_ = rfc2865.UserPassword_SetString(p, cmp.Or(m.password, "hello"))
		}
	case radius.CodeAccountingRequest:
		_ = rfc2866.AcctStatusType_Set(p, rfc2866.AcctStatusType_Value_Start)
		_ = rfc2866.AcctSessionID_SetString(p, rand.Text())
	default: // CoA, Disconnect
		_ = rfc2869.EventTimestamp_Set(p, time.Now())
		_ = rfc2866.AcctSessionID_SetString(p, rand.Text())
	}
	if m.state != "" {
		_ = rfc2865.State_SetString(p, m.state)
	}
	if m.back != nil {
		p.Add(rfc2865.ProxyState_Type, m.back)
	}
	fillUp(p, m.size)
	return finish(p, access)
}

// fillUp adds EAP-Message until a packet has at least size octets.
func fillUp(p *radius.Packet, size int) {
	for ; size > 0; size -= 255 {
		p.Add(rfc2869.EAPMessage_Type, make([]byte, min(253, max(8, size))))
	}
}

// finish encodes a packet, and signs one that has a Message-Authenticator.
func finish(p *radius.Packet, access bool) []byte {
	b, err := p.Encode()
	if err != nil {
		panic(fmt.Sprintf("a request of the test cannot be encoded: %v", err))
	}
	if access {
		sign(b, radsec)
	}
	return b
}

// read gives replies to the exchanges that wait for them, until the connection ends.
func (c *client) read() {
	err := c.readReplies()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = err
	for _, e := range c.waiting {
		close(e.done)
	}
	c.waiting = nil
}

func (c *client) readReplies() error {
	buf := make([]byte, radius.MaxPacketLength)
	for {
		if _, err := io.ReadFull(c.conn, buf[:4]); err != nil {
			return err
		}
		n := int(binary.BigEndian.Uint16(buf[2:]))
		if n < 20 || n > len(buf) {
			return fmt.Errorf("a reply of %d octets", n)
		}
		if _, err := io.ReadFull(c.conn, buf[4:n]); err != nil {
			return err
		}
		if err := c.accept(buf[:n], time.Now()); err != nil {
			return err
		}
	}
}

// accept ends the exchange that a reply belongs to.
func (c *client) accept(b []byte, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := [2]byte{byte(asks(radius.Code(b[0]))), b[1]}
	e := c.waiting[key]
	if e == nil {
		return fmt.Errorf("a reply (%v, Identifier %d) to no request that waits", radius.Code(b[0]), b[1])
	}
	if !radius.IsAuthenticResponse(b, e.packet, radsec) {
		return fmt.Errorf("the reply to %s does not verify", e.user)
	}
	p, err := radius.Parse(b, radsec)
	if err != nil {
		return err
	}
	delete(c.waiting, key)
	e.code, e.took, e.state = p.Code, now.Sub(e.sent), rfc2865.State_GetString(p)
	e.text = rfc2865.ReplyMessage_GetString(p)
	close(e.done)
	return nil
}

// asks is the code of the requests that a reply answers.
func asks(code radius.Code) radius.Code {
	switch code {
	case radius.CodeAccountingResponse:
		return radius.CodeAccountingRequest
	case radius.CodeCoAACK, radius.CodeCoANAK:
		return radius.CodeCoARequest
	case radius.CodeDisconnectACK, radius.CodeDisconnectNAK:
		return radius.CodeDisconnectRequest
	}
	return radius.CodeAccessRequest
}
