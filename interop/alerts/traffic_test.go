//go:build linux

package alerts

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/probe"
)

// traffic is everything that clients do until it is stopped.
type traffic struct {
	t       *testing.T
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
}

func newTraffic(t *testing.T) *traffic {
	tr := &traffic{t: t}
	tr.ctx, tr.stop = context.WithCancel(t.Context())
	t.Cleanup(tr.end)
	return tr
}

// end stops everything and waits for it.
func (tr *traffic) end() {
	tr.stop()
	tr.running.Wait()
}

// dial connects to a gateway from an address. Whether the gateway's certificate is good is
// not this client's concern.
func (tr *traffic) dial(from, address string, certificates ...tls.Certificate) (net.Conn, error) {
	d := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 20 * time.Second},
		Config: &tls.Config{Certificates: certificates, InsecureSkipVerify: true}}
	return d.DialContext(tr.ctx, "tcp", address)
}

// connect is dial, and closes the connection at the end.
func (tr *traffic) connect(from, address string, certificate tls.Certificate) net.Conn {
	tr.t.Helper()
	conn, err := tr.dial(from, address, certificate)
	if err != nil {
		tr.t.Fatal(err)
	}
	context.AfterFunc(tr.ctx, func() { conn.Close() })
	return conn
}

// login writes an Access-Request for a realm.
func login(conn net.Conn, id byte, realm string, proxyState []byte) error {
	p := radius.New(radius.CodeAccessRequest, []byte("radsec"))
	p.Identifier = id
	if err := rfc2865.UserName_SetString(p, "user@"+realm); err != nil {
		return err
	}
	if err := rfc2865.UserPassword_SetString(p, "a password"); err != nil {
		return err
	}
	if proxyState != nil {
		rfc2865.ProxyState_Add(p, proxyState)
	}
	probe.AddMessageAuthenticator(p)
	b, err := probe.Sign(p)
	if err == nil {
		_, err = conn.Write(b)
	}
	return err
}

// logins keeps some requests in flight for a realm: each answer is followed, after a pause,
// by another request. state returns a Proxy-State for it, nil for none.
func (tr *traffic) logins(conn net.Conn, realm string, atATime int, pause time.Duration, state func() []byte) {
	tr.running.Go(func() {
		for id := range atATime {
			if login(conn, byte(id), realm, state()) != nil {
				return
			}
		}
		for tr.ctx.Err() == nil {
			reply, err := probe.ReadPacket(conn)
			if err != nil {
				return
			}
			tr.wait(pause)
			if login(conn, reply[1], realm, state()) != nil {
				return
			}
		}
	})
}

// coa sends CoA for a NAS that is not connected.
func (tr *traffic) coa(address string) {
	tr.t.Helper()
	conn, err := net.Dial("udp", address)
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.running.Go(func() {
		defer conn.Close()
		for id := byte(0); tr.ctx.Err() == nil; id++ {
			p := radius.New(radius.CodeCoARequest, []byte(gatewaytest.Secret))
			p.Identifier = id
			if rfc2865.NASIdentifier_SetString(p, "gone") != nil {
				return
			}
			b, err := probe.Sign(p)
			if err != nil {
				return
			}
			if _, err := conn.Write(b); err != nil {
				return
			}
			tr.wait(200 * time.Millisecond)
		}
	})
}

func noState() []byte { return nil }

// flood sends logins without waiting for answers.
func (tr *traffic) flood(conn net.Conn, realm string, pause time.Duration) {
	tr.running.Go(func() {
		for id := byte(0); tr.ctx.Err() == nil && login(conn, id, realm, nil) == nil; id++ {
			tr.wait(pause)
		}
	})
	tr.running.Go(func() {
		for {
			if _, err := probe.ReadPacket(conn); err != nil {
				return
			}
		}
	})
}

// wait waits, but not beyond the end.
func (tr *traffic) wait(d time.Duration) {
	select {
	case <-time.After(d):
	case <-tr.ctx.Done():
	}
}

// strangers connect without a certificate.
func (tr *traffic) strangers(from, address string) {
	tr.running.Go(func() {
		for tr.ctx.Err() == nil {
			if conn, err := tr.dial(from, address); err == nil {
				_, _ = conn.Read(make([]byte, 1)) // until it is refused
				conn.Close()
			}
			tr.wait(100 * time.Millisecond)
		}
	})
}

// idle opens connections that stay without a request, and opens others for those that are
// closed.
func (tr *traffic) idle(address string, certificate tls.Certificate, n int) {
	for range n {
		tr.running.Go(func() {
			for tr.ctx.Err() == nil {
				if conn, err := tr.dial("127.0.0.11", address, certificate); err == nil {
					stop := context.AfterFunc(tr.ctx, func() { conn.Close() })
					_, _ = conn.Read(make([]byte, 1))
					stop()
					conn.Close()
				}
				tr.wait(200 * time.Millisecond)
			}
		})
	}
}
