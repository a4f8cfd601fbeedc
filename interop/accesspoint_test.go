package interop

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"radsec-gw/probe"
)

// radsecSecret is the secret of RADIUS/1.0 over TLS (RFC 6614 §2.3).
const radsecSecret = "radsec"

// accessPoint is a NAS with one RadSec connection to the gateway, a certificate of its own and one
// user. It is sent CoA and Disconnect down that connection, and accepts those that name its session,
// or none.
type accessPoint struct {
	// static after construction
	t              *testing.T
	name           string // NAS-Identifier
	ip             net.IP // NAS-IP-Address
	operatorNAS    string // Operator-NAS-Identifier; "": it sends none
	multi          string // Acct-Multi-Session-Id
	called         string // Called-Station-Id
	conn           *tls.Conn
	readLoopClosed chan struct{}

	station string // Calling-Station-Id; owned by the test
	session string // Acct-Session-Id; changed by the test, with mu held

	mu       sync.Mutex // guards what is below
	last     byte       // Identifier of its last request
	waiting  map[byte]chan []byte
	forward  func(packet []byte) // takes what is not a reply to its own requests
	userName string              // that of the Access-Accept, as accounting has it (RFC 2865 §5.1)
	class    []byte              // likewise (RFC 2865 §5.25)
	got      []*radius.Packet    // CoA-Requests and Disconnect-Requests
	closing  bool
}

func newAccessPoint(t *testing.T, number int) *accessPoint {
	mac := fmt.Sprintf("%02X-%02X", number>>8, number&0xff)
	return &accessPoint{
		t: t, name: fmt.Sprintf("ap-%04d", number), ip: net.IPv4(10, 77, byte(number>>8), byte(number)).To4(),
		session: fmt.Sprintf("%08X-session", 0x5e550000+number), multi: fmt.Sprintf("multi-%04d", number),
		called: "02-00-00-01-" + mac + ":net", station: "02-00-00-00-" + mac,
		waiting: map[byte]chan []byte{}, userName: "bob", readLoopClosed: make(chan struct{}),
	}
}

// connect opens the connection, and reads it until close.
func (a *accessPoint) connect(port int, config *tls.Config) error {
	dialer := net.Dialer{Timeout: patience}
	conn, err := tls.DialWithDialer(&dialer, "tcp4", fmt.Sprintf("127.0.0.1:%d", port), config)
	if err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	a.conn = conn
	go a.read()
	return nil
}

// close closes the connection, and returns when nothing more is read.
func (a *accessPoint) close() {
	a.mu.Lock()
	a.closing = true
	a.mu.Unlock()
	a.conn.Close()
	<-a.readLoopClosed
}

func (a *accessPoint) read() {
	defer close(a.readLoopClosed)
	for {
		packet, err := probe.ReadPacket(a.conn)
		if err != nil {
			a.mu.Lock()
			defer a.mu.Unlock()
			if !a.closing {
				a.t.Errorf("%s lost its connection: %v", a.name, err)
			}
			return
		}
		if code := radius.Code(packet[0]); code == radius.CodeCoARequest || code == radius.CodeDisconnectRequest {
			a.answer(packet)
		} else {
			a.deliver(packet)
		}
	}
}

// answer answers a CoA-Request or Disconnect-Request, and keeps it.
func (a *accessPoint) answer(packet []byte) {
	request, err := radius.Parse(packet, []byte(radsecSecret))
	if err != nil || !radius.IsAuthenticRequest(packet, []byte(radsecSecret)) {
		a.t.Errorf("%s got a request that does not verify (%v): %x", a.name, err, packet)
		return
	}
	code := request.Code + 1 // ACK
	a.mu.Lock()
	if session := rfc2866.AcctSessionID_GetString(request); session != "" && session != a.session {
		code = request.Code + 2 // NAK
	}
	a.got = append(a.got, request)
	a.mu.Unlock()
	reply := request.Response(code)
	if code == request.Code+2 {
		reply.Add(101, []byte{0, 0, 0x01, 0xf7}) // Error-Cause 503, Session-Context-Not-Found
	}
	if len(request.Get(rfc2869.MessageAuthenticator_Type)) > 0 {
		if err := probe.VerifyMessageAuthenticator(packet, request.Secret, [16]byte{}); err != nil {
			a.t.Errorf("%s: Message-Authenticator of %x: %v", a.name, packet, err)
		}
		probe.AddMessageAuthenticator(reply)
	}
	octets, err := probe.Sign(reply)
	if err == nil {
		_, err = a.conn.Write(octets)
	}
	if err != nil {
		a.t.Errorf("%s cannot answer: %v", a.name, err)
	}
}

// deliver passes a reply on to who waits for it.
func (a *accessPoint) deliver(packet []byte) {
	a.mu.Lock()
	if reply, err := radius.Parse(packet, []byte(radsecSecret)); err == nil && reply.Code == radius.CodeAccessAccept {
		a.class = rfc2865.Class_Get(reply)
		if name := rfc2865.UserName_GetString(reply); name != "" {
			a.userName = name
		}
	}
	waiting, forward := a.waiting[packet[1]], a.forward
	delete(a.waiting, packet[1])
	a.mu.Unlock()
	switch {
	case waiting != nil:
		waiting <- packet
	case forward != nil:
		forward(packet)
	default:
		a.t.Errorf("%s got a reply to nothing: %x", a.name, packet)
	}
}

// listen takes packets of a program that has the secret of RadSec, sends them down the connection as
// they are, and the replies back. It returns the port, which is closed with the test.
func (a *accessPoint) listen() (port int) {
	socket := listenUDP(a.t)
	read := make(chan struct{})
	go func() {
		defer close(read)
		packet := make([]byte, 4096)
		for {
			n, from, err := socket.ReadFromUDPAddrPort(packet)
			if err != nil {
				return // closed
			}
			a.mu.Lock()
			a.forward = func(reply []byte) { socket.WriteToUDPAddrPort(reply, from) }
			a.mu.Unlock()
			if _, err := a.conn.Write(packet[:n]); err != nil {
				a.t.Error(err)
			}
		}
	}()
	a.t.Cleanup(func() {
		socket.Close()
		<-read
	})
	return portOf(socket)
}

// request is one of its requests, for its user.
func (a *accessPoint) request(code radius.Code) *radius.Packet {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := radius.New(code, []byte(radsecSecret))
	a.last++
	p.Identifier = a.last
	p.Add(rfc2865.UserName_Type, []byte(a.userName))
	p.Add(rfc2865.NASIPAddress_Type, []byte(a.ip))
	p.Add(rfc2865.NASIdentifier_Type, []byte(a.name))
	p.Add(rfc2865.CalledStationID_Type, []byte(a.called))
	p.Add(rfc2865.CallingStationID_Type, []byte(a.station))
	p.Add(rfc2866.AcctSessionID_Type, []byte(a.session))
	p.Add(rfc2866.AcctMultiSessionID_Type, []byte(a.multi))
	if a.operatorNAS != "" {
		p.Add(241, append([]byte{8}, a.operatorNAS...))
	}
	if a.class != nil && code == radius.CodeAccountingRequest {
		p.Add(rfc2865.Class_Type, a.class)
	}
	return p
}

// exchange sends a request, and fails unless the reply has that code and verifies.
func (a *accessPoint) exchange(request *radius.Packet, want radius.Code) error {
	sent, err := probe.Sign(request)
	if err != nil {
		return err
	}
	replies := make(chan []byte, 1)
	a.mu.Lock()
	a.waiting[request.Identifier] = replies
	a.mu.Unlock()
	if _, err := a.conn.Write(sent); err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	select {
	case reply := <-replies:
		if radius.Code(reply[0]) != want || !radius.IsAuthenticResponse(reply, sent, request.Secret) {
			return fmt.Errorf("%s got %x, expected a verified %v", a.name, reply, want)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s: no reply to its %v within %v", a.name, request.Code, patience)
	}
}

// login logs its user in by PAP.
func (a *accessPoint) login(user string) error {
	p := a.request(radius.CodeAccessRequest)
	p.Set(rfc2865.UserName_Type, []byte(user))
	if err := rfc2865.UserPassword_SetString(p, userPassword); err != nil {
		return err
	}
	probe.AddMessageAuthenticator(p)
	return a.exchange(p, radius.CodeAccessAccept)
}

// account sends a record of its session.
func (a *accessPoint) account(status rfc2866.AcctStatusType, further ...radius.AVP) error {
	p := a.request(radius.CodeAccountingRequest)
	p.Add(rfc2866.AcctStatusType_Type, binary.BigEndian.AppendUint32(nil, uint32(status)))
	for _, f := range further {
		p.Add(f.Type, f.Attribute)
	}
	return a.exchange(p, radius.CodeAccountingResponse)
}

// newSession has its user have another session.
func (a *accessPoint) newSession(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.session = id
}

// received returns the CoA-Requests and Disconnect-Requests that it got.
func (a *accessPoint) received() []*radius.Packet {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.got)
}
