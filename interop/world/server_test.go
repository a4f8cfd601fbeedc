//go:build linux

package world

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
)

// reply is what a server does with a request. The zero value is an Access-Accept,
// or an Accounting-Response, or an ACK, at once.
type reply struct {
	silent   bool
	code     radius.Code // 0: the positive one
	after    time.Duration
	state    string
	garbled  bool // it does not verify
	unsigned bool // it has no Message-Authenticator
	size     int  // at least so many octets, filled up by EAP-Message
}

// request is a request as a server has received it.
type request struct {
	code  radius.Code
	user  string // User-Name
	state string
	back  []byte // the last Proxy-State
	size  int
	from  netip.AddrPort
	at    time.Time
	again bool // an octet-identical one was received before: a retransmission
}

// server is a scripted RADIUS server outside.
type server struct {
	// static after construction
	t       testing.TB
	address netip.AddrPort
	conn    *net.UDPConn
	readers sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	script func(request) reply
	status func(request) reply // for Status-Server
	seen   []request           // without Status-Server
	probes []request           // Status-Server
	known  map[[16]byte]bool   // by Request Authenticator
	bad    int                 // what is not a request, or does not verify
	hung   bool                // what is received is only counted
	got    int                 // datagrams received
}

// server starts a server at an address of the outside, which is made: "10.0.0.10".
// It accepts everything at once; script says otherwise, unless it is nil.
func (w *world) server(address string, script func(request) reply) *server {
	w.t.Helper()
	w.address(w.outside, "eth0", address+"/24")
	return w.serverAt(w.outside, address+":1812", script)
}

// serverAt starts a server at an address that a namespace has already, with its port.
func (w *world) serverAt(n *namespace, address string, script func(request) reply) *server {
	w.t.Helper()
	accept := func(request) reply { return reply{} }
	if script == nil {
		script = accept
	}
	conn, err := n.listenUDP(address)
	w.must(err)
	_ = conn.SetReadBuffer(4 << 20) // as much as the system allows
	s := &server{t: w.t, address: conn.LocalAddr().(*net.UDPAddr).AddrPort(), conn: conn, script: script, status: accept, known: map[[16]byte]bool{}}
	s.readers.Go(s.read)
	w.t.Cleanup(s.close)
	return s
}

func (s *server) close() {
	s.conn.Close()
	s.readers.Wait()
}

// hang makes the server swallow everything, or answer again.
func (s *server) hang(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hung = on
}

// answer replaces the script.
func (s *server) answer(script func(request) reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// answerProbes says what Status-Server is answered with.
func (s *server) answerProbes(script func(request) reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = script
}

// requests returns what was received so far, except Status-Server.
func (s *server) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.seen...)
}

// probed returns the Status-Server requests received so far.
func (s *server) probed() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.probes...)
}

// count returns how many datagrams were received so far, probes included.
func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

// fresh returns how many different requests were received so far, except Status-Server.
func (s *server) fresh() int {
	n := 0
	for _, r := range s.requests() {
		if !r.again {
			n++
		}
	}
	return n
}

// of returns how many different requests of a realm were received so far.
func (s *server) of(realm string) int {
	n := 0
	for _, r := range s.requests() {
		if !r.again && strings.HasSuffix(r.user, "@"+realm) {
			n++
		}
	}
	return n
}

func (s *server) read() {
	buf := make([]byte, radius.MaxPacketLength)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil: // otherwise an ICMP error of an earlier reply
			s.handle(append([]byte(nil), buf[:n]...), from)
		}
	}
}

// handle handles one datagram as the script says.
func (s *server) handle(datagram []byte, from netip.AddrPort) {
	packet, err := radius.Parse(datagram, []byte(secret))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got++
	switch {
	case s.hung:
		return
	case err != nil || !verifies(datagram, packet):
		s.bad++
		return
	}
	r := request{code: packet.Code, user: rfc2865.UserName_GetString(packet), state: rfc2865.State_GetString(packet), back: rfc2865.ProxyState_Get(packet), size: len(datagram), from: from, at: time.Now()}
	r.again = s.known[packet.Authenticator]
	s.known[packet.Authenticator] = true
	script := s.script
	if r.code == radius.CodeStatusServer {
		script = s.status
		s.probes = append(s.probes, r)
	} else {
		s.seen = append(s.seen, r)
	}
	does := script(r)
	if does.silent {
		return
	}
	send := func() { _, _ = s.conn.WriteToUDPAddrPort(signed(packet, does), from) } // there may be no way back
	if does.after > 0 {
		time.AfterFunc(does.after, send)
		return
	}
	send()
}

// positive is the code that grants what a request asks for.
func positive(code radius.Code) radius.Code {
	switch code {
	case radius.CodeAccountingRequest:
		return radius.CodeAccountingResponse
	case radius.CodeCoARequest:
		return radius.CodeCoAACK
	case radius.CodeDisconnectRequest:
		return radius.CodeDisconnectACK
	}
	return radius.CodeAccessAccept
}

// signed is the reply as octets, with a Message-Authenticator where RFC 3579 has one.
func signed(request *radius.Packet, does reply) []byte {
	code := does.code
	if code == 0 {
		code = positive(request.Code)
	}
	p := request.Response(code)
	if code != radius.CodeAccountingResponse && !does.unsigned {
		p.Add(rfc2869.MessageAuthenticator_Type, make([]byte, md5.Size))
	}
	if does.state != "" {
		_ = rfc2865.State_SetString(p, does.state)
	}
	fillUp(p, does.size)
	for _, a := range request.Attributes { // Proxy-State, RFC 2865 §5.33
		if a.Type == rfc2865.ProxyState_Type {
			p.Add(a.Type, a.Attribute)
		}
	}
	// The authenticator that the Message-Authenticator covers is the request's.
	plain := *p
	plain.Code = radius.CodeAccessRequest // encoded without a digest
	b, err := plain.Encode()
	if err != nil {
		return nil
	}
	b[0] = byte(code)
	sign(b, request.Secret)
	h := md5.New()
	h.Write(b)
	h.Write(request.Secret)
	copy(b[4:20], h.Sum(nil))
	if does.garbled {
		b[4] ^= 1
	}
	return b
}

// sign fills in the Message-Authenticator of a packet that has one.
func sign(packet, secret []byte) {
	if at := authenticatorAt(packet); at > 0 {
		h := hmac.New(md5.New, secret)
		h.Write(packet)
		copy(packet[at:], h.Sum(nil))
	}
}

// authenticatorAt is where the value of the Message-Authenticator begins, 0 when there is none.
func authenticatorAt(packet []byte) int {
	for i := 20; i+2 <= len(packet) && packet[i+1] >= 2; i += int(packet[i+1]) {
		if packet[i] == byte(rfc2869.MessageAuthenticator_Type) && packet[i+1] == 18 {
			return i + 2
		}
	}
	return 0
}

// verifies reports whether a request's authenticators fit the secret.
func verifies(datagram []byte, packet *radius.Packet) bool {
	datagram = datagram[:binary.BigEndian.Uint16(datagram[2:])]
	switch packet.Code {
	case radius.CodeAccountingRequest, radius.CodeCoARequest, radius.CodeDisconnectRequest:
		return radius.IsAuthenticRequest(datagram, packet.Secret)
	}
	at := authenticatorAt(datagram)
	if at == 0 {
		return false
	}
	zeroed := append([]byte(nil), datagram...)
	copy(zeroed[at:at+16], make([]byte, 16))
	sign(zeroed, packet.Secret)
	return hmac.Equal(zeroed[at:at+16], datagram[at:at+16])
}
