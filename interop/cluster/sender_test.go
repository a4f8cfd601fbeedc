package cluster

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/interop/testbed"
)

const (
	errorCauseType = 101
	notRoutable    = 502 // Request Not Routable
)

// sender is a server or portal that sends CoA to one gateway.
type sender struct {
	t    *testing.T
	conn *net.UDPConn
	sent int
}

func newSender(t *testing.T, g *gateway) *sender {
	t.Helper()
	to, err := net.ResolveUDPAddr("udp", g.coa)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP("udp", nil, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &sender{t: t, conn: conn}
}

// outcome is what a CoA-Request was answered with.
type outcome struct {
	code  radius.Code
	cause uint32 // Error-Cause, 0 without
	took  time.Duration
}

// coa sends a CoA-Request for a NAS, once, and returns the answer; false: there is none in time.
func (s *sender) coa(nas string, within time.Duration) (o outcome, answered bool) {
	s.t.Helper()
	s.sent++
	p := radius.New(radius.CodeCoARequest, []byte(coaSecret))
	p.Identifier = byte(s.sent)
	if err := rfc2865.NASIdentifier_SetString(p, nas); err != nil {
		s.t.Fatal(err)
	}
	if err := rfc2865.UserName_SetString(p, "bob"); err != nil {
		s.t.Fatal(err)
	}
	// No two are alike: the second would be answered from memory.
	if err := rfc2865.SessionTimeout_Set(p, rfc2865.SessionTimeout(s.sent)); err != nil {
		s.t.Fatal(err)
	}
	request, err := p.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	from := time.Now()
	s.conn.SetDeadline(from.Add(within))
	if _, err := s.conn.Write(request); err != nil {
		s.t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := s.conn.Read(b)
	took := time.Since(from)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return outcome{}, false
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if b[1] != p.Identifier || !radius.IsAuthenticResponse(b[:n], request, []byte(coaSecret)) {
		s.t.Fatalf("the answer does not verify: % x", b[:n])
	}
	answer, err := radius.Parse(b[:n], []byte(coaSecret))
	if err != nil {
		s.t.Fatal(err)
	}
	o = outcome{code: answer.Code, took: took}
	if v := answer.Get(errorCauseType); len(v) == 4 {
		o.cause = binary.BigEndian.Uint32(v)
	}
	return o, true
}

// wantACK fails the test unless a NAS gets a CoA-Request and acknowledges it.
func (s *sender) wantACK(n *nas) (took time.Duration) {
	s.t.Helper()
	before := n.acknowledged()
	o, answered := s.coa(n.name, patience)
	if !answered {
		s.t.Fatalf("a CoA-Request for %s got no answer", n.name)
	}
	if got := n.acknowledged() - before; o.code != radius.CodeCoAACK || got != 1 {
		s.t.Errorf("a CoA-Request for %s got %v %d, and the NAS got it %d times; expected CoA-ACK, and once", n.name, o.code, o.cause, got)
	}
	return o.took
}

// wantNAK fails the test unless a CoA-Request is refused, because no gateway has its NAS, within
// a time. One that NATS is lost under gets no answer, because another gateway may have passed it on;
// the next does.
func (s *sender) wantNAK(nas string, within time.Duration) (took time.Duration) {
	s.t.Helper()
	o, answered := s.coa(nas, time.Second)
	if !answered {
		o, _ = s.coa(nas, within)
	}
	if o.code != radius.CodeCoANAK || o.cause != notRoutable || o.took > within {
		s.t.Errorf("a CoA-Request for %s got %v %d after %v, expected CoA-NAK 502 within %v", nas, o.code, o.cause, o.took, within)
	}
	return o.took
}

// radclient sends a CoA-Request to a gateway, and fails the test unless it prints want.
func radclient(t *testing.T, g *gateway, nas string, want ...string) {
	t.Helper()
	cmd := exec.Command("radclient", "-x", "-r", "1", "-t", "10", g.coa, "coa", coaSecret)
	cmd.Stdin = strings.NewReader("User-Name = bob, NAS-Identifier = " + nas + "\n")
	r := testbed.Run(patience, cmd)
	for _, w := range want {
		if !strings.Contains(r.Output, w) {
			t.Errorf("radclient does not print %q; it printed:\n%s", w, r.Output)
		}
	}
}
