package cluster

import (
	"context"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"radsec-gw/probe"
)

var radsec = []byte("radsec") // the secret of RadSec

// nas is a NAS with one connection to a gateway. It acknowledges each CoA-Request that is sent
// down the connection.
type nas struct {
	name string
	conn *tls.Conn
	done chan struct{} // closed when the connection has ended

	writing sync.Mutex
	mu      sync.Mutex
	next    byte
	waiting [256]chan []byte // by Identifier; one stays until its answer has arrived
	coa     int              // CoA-Requests that were acknowledged
}

// connect connects a NAS, until the test ends.
func connect(t *testing.T, name, address string) (*nas, error) {
	t.Helper()
	config, err := clientTLS()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	n := &nas{name: name, conn: c.(*tls.Conn), done: make(chan struct{})}
	go n.read()
	t.Cleanup(n.close)
	return n, nil
}

// mustConnect is connect to a gateway that serves.
func mustConnect(t *testing.T, name string, g *gateway) *nas {
	t.Helper()
	n, err := connect(t, name, g.radsec)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// clientTLS returns what a NAS connects with.
func clientTLS() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(inDir("certs/client.pem"), inDir("certs/client.key"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(inDir("certs/ca.pem"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, ServerName: "localhost"}, nil
}

func (n *nas) close() {
	n.conn.Close()
	<-n.done
}

// read handles what arrives, until the connection ends.
func (n *nas) read() {
	defer close(n.done)
	for {
		b, err := probe.ReadPacket(n.conn)
		if err != nil {
			return
		}
		if radius.Code(b[0]) == radius.CodeCoARequest {
			if err := n.acknowledge(b); err != nil {
				return
			}
			continue
		}
		n.mu.Lock()
		if c := n.waiting[b[1]]; c != nil {
			c <- b // it has space for one
			n.waiting[b[1]] = nil
		}
		n.mu.Unlock()
	}
}

// acknowledge answers a CoA-Request.
func (n *nas) acknowledge(b []byte) error {
	p, err := radius.Parse(b, radsec)
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.coa++
	n.mu.Unlock()
	answer, err := p.Response(radius.CodeCoAACK).Encode()
	if err != nil {
		return err
	}
	return n.write(answer)
}

// acknowledged returns how many CoA-Requests the NAS has acknowledged.
func (n *nas) acknowledged() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.coa
}

func (n *nas) write(b []byte) error {
	n.writing.Lock()
	defer n.writing.Unlock()
	_, err := n.conn.Write(b)
	return err
}

var (
	errLost   = errors.New("the connection was lost")
	errSilent = errors.New("there is no answer")
)

// exchange sends a request and returns its answer.
func (n *nas) exchange(p *radius.Packet, within time.Duration) (*radius.Packet, error) {
	answer := make(chan []byte, 1)
	n.mu.Lock()
	for i := 0; n.waiting[n.next] != nil; i++ {
		if i == len(n.waiting) {
			n.mu.Unlock()
			return nil, errSilent
		}
		n.next++
	}
	p.Identifier = n.next
	n.next++
	n.waiting[p.Identifier] = answer
	n.mu.Unlock()
	request, err := probe.Sign(p)
	if err != nil {
		return nil, err
	}
	if err := n.write(request); err != nil {
		return nil, errLost
	}
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case b := <-answer:
		if !radius.IsAuthenticResponse(b, request, radsec) {
			return nil, fmt.Errorf("an answer does not verify: % x", b)
		}
		return radius.Parse(b, radsec)
	case <-n.done:
		return nil, errLost
	case <-late.C:
		return nil, errSilent
	}
}

// recordKey identifies a record.
type recordKey struct {
	session string
	kind    rfc2866.AcctStatusType
}

// record sends a record; nil: it was acknowledged.
func (n *nas) record(r recordKey, within time.Duration) error {
	p := radius.New(radius.CodeAccountingRequest, radsec)
	if err := errors.Join(rfc2865.UserName_SetString(p, "bob"), rfc2865.NASIdentifier_SetString(p, n.name),
		rfc2866.AcctSessionID_SetString(p, r.session), rfc2866.AcctStatusType_Set(p, r.kind)); err != nil {
		return err
	}
	answer, err := n.exchange(p, within)
	if err == nil && answer.Code != radius.CodeAccountingResponse {
		return fmt.Errorf("the answer to a record is %v", answer.Code)
	}
	return err
}

// login logs a user in with EAP-MD5: three requests, two of which have the State that the server
// has issued just before, and that the gateway tells the others.
func (n *nas) login(within time.Duration) error {
	message := []byte{2, 1, 0, 8, 1, 'b', 'o', 'b'} // Response, Identity
	var state []byte
	for range 4 {
		p := radius.New(radius.CodeAccessRequest, radsec)
		if err := errors.Join(rfc2865.UserName_SetString(p, "bob"), rfc2865.NASIdentifier_SetString(p, n.name), rfc2869.EAPMessage_Set(p, message)); err != nil {
			return err
		}
		if state != nil {
			p.Add(rfc2865.State_Type, state)
		}
		probe.AddMessageAuthenticator(p)
		answer, err := n.exchange(p, within)
		if err != nil {
			return err
		}
		if answer.Code == radius.CodeAccessAccept {
			return nil
		}
		state = answer.Get(rfc2865.State_Type)
		if message, err = md5Response(rfc2869.EAPMessage_Get(answer)); err != nil || answer.Code != radius.CodeAccessChallenge {
			return fmt.Errorf("a login got %v: %w", answer.Code, err)
		}
	}
	return errors.New("a login does not end")
}

// md5Response answers a request of EAP: with MD5, or by asking for it (RFC 3748 §5.3, §5.4).
func md5Response(request []byte) ([]byte, error) {
	switch {
	case len(request) < 6 || request[0] != 1:
		return nil, fmt.Errorf("expected a request of EAP, got % x", request)
	case request[4] != 4:
		return []byte{2, request[1], 0, 6, 3, 4}, nil // Nak, MD5
	case len(request) < 22:
		return nil, fmt.Errorf("expected a challenge of EAP-MD5, got % x", request)
	}
	h := md5.New()
	h.Write(request[1:2])
	h.Write([]byte("hello"))
	h.Write(request[6:22])
	return append([]byte{2, request[1], 0, 22, 4, 16}, h.Sum(nil)...), nil
}
