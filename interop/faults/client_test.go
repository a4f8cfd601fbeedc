package faults

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"radsec-gw/certs"
)

// client is a RadSec connection to the gateway.
type client struct {
	t testing.TB
	*tls.Conn
}

// tlsOf is a client's configuration; it shows the chain of pairs, the client's own first, and none
// when there is none.
func (b *bed) tlsOf(pairs ...*certs.Pair) *tls.Config {
	config := &tls.Config{RootCAs: certs.Pool(b.ca.Certificate), ServerName: "radsec-server"}
	if len(pairs) > 0 {
		own := pairs[0].TLS()
		for _, p := range pairs[1:] {
			own.Certificate = append(own.Certificate, p.Certificate.Raw)
		}
		// Whichever CAs the gateway names, as most RadSec clients do.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil }
	}
	return config
}

// tryDial opens a connection from an address of 127.0.0.0/8. With TLS 1.3 a client that is refused
// learns so when it reads.
func (g *gateway) tryDial(source string, config *tls.Config) (*client, error) {
	dialer := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}, Config: config}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "tcp", g.radsec)
	if err != nil {
		return nil, err
	}
	g.T.Cleanup(func() { conn.Close() })
	c := &client{g.T, conn.(*tls.Conn)}
	c.wait()
	return c, nil
}

// dial opens a connection with a certificate and its chain, and fails the test when it cannot.
func (g *gateway) dial(pairs ...*certs.Pair) *client {
	g.T.Helper()
	c, err := g.tryDial("127.0.0.1", g.bed.tlsOf(pairs...))
	if err != nil {
		g.T.Fatalf("the client cannot connect: %v", err)
	}
	return c
}

// admits returns nil when a client with this certificate and chain is served: its Status-Server is
// answered.
func (g *gateway) admits(pairs ...*certs.Pair) error {
	return g.admitsWith("127.0.0.1", g.bed.tlsOf(pairs...))
}

// admitsWith is admits from an address and with a configuration.
func (g *gateway) admitsWith(source string, config *tls.Config) error {
	c, err := g.tryDial(source, config)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.status()
}

// status sends Status-Server and returns nil when it is answered.
func (c *client) status() error {
	c.wait()
	if _, err := c.Write(request(statusServer, 7)); err != nil {
		return err
	}
	answer, err := c.tryRead()
	if err == nil && answer[0] != accessAccept {
		err = fmt.Errorf("Status-Server is answered with code %d", answer[0])
	}
	return err
}

// wait bounds the reads and writes that follow.
func (c *client) wait() { _ = c.SetDeadline(time.Now().Add(patience)) } // never fails on an open connection

// send sends octets as they are.
func (c *client) send(packet []byte) {
	c.t.Helper()
	c.wait()
	if _, err := c.Write(packet); err != nil {
		c.t.Fatalf("the gateway does not read: %v", err)
	}
}

// read returns the next packet.
func (c *client) read() []byte {
	c.t.Helper()
	packet, err := c.tryRead()
	if err != nil {
		c.t.Fatalf("no packet arrived: %v", err)
	}
	return packet
}

func (c *client) tryRead() ([]byte, error) {
	c.wait()
	packet := make([]byte, 4)
	if _, err := io.ReadFull(c, packet); err != nil {
		return nil, err
	}
	packet = append(packet, make([]byte, max(0, int(binary.BigEndian.Uint16(packet[2:]))-4))...)
	_, err := io.ReadFull(c, packet[4:])
	return packet, err
}

// ask sends a request and returns its reply.
func (c *client) ask(packet []byte) []byte {
	c.t.Helper()
	c.send(packet)
	return c.read()
}
