package answer

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"net"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/vendors/microsoft"

	"radsec-gw/bench/packets"
)

var secret = []byte("answering")

// start runs a server for the test and returns connected sockets to its ports.
func start(t *testing.T, cfg Config) (s *Server, auth, acct net.Conn) {
	t.Helper()
	cfg.Auth, cfg.Acct, cfg.Secret = "127.0.0.1:0", "127.0.0.1:0", secret
	s, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	dial := func(port int) net.Conn {
		c, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	return s, dial(s.AuthPort()), dial(s.AcctPort())
}

// exchange sends one request and returns the reply, verified by another library.
func exchange(t *testing.T, c net.Conn, request []byte) *radius.Packet {
	t.Helper()
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatalf("no reply: %v", err)
	}
	if !radius.IsAuthenticResponse(buf[:n], request, secret) {
		t.Fatal("layeh.com/radius says the Response Authenticator is wrong")
	}
	p, err := radius.Parse(buf[:n], secret)
	if err != nil {
		t.Fatalf("layeh.com/radius cannot read the reply: %v", err)
	}
	copy(p.Authenticator[:], request[4:20]) // what hidden attributes and the signature depend on
	if signature := rfc2869.MessageAuthenticator_Get(p); signature != nil {
		unsigned := append([]byte(nil), buf[:n]...)
		copy(unsigned[4:20], request[4:20])
		copy(unsigned[22:38], make([]byte, 16))
		mac := hmac.New(md5.New, secret)
		mac.Write(unsigned)
		if buf[20] != 80 || !hmac.Equal(mac.Sum(nil), signature) {
			t.Error("the reply's first attribute is not a right Message-Authenticator")
		}
	} else if p.Code != radius.CodeAccountingResponse {
		t.Errorf("%v without Message-Authenticator", p.Code)
	}
	return p
}

func TestReplies(t *testing.T) {
	_, auth, acct := start(t, Config{Verify: true})
	m := packets.NewMaker(secret)
	buf := make([]byte, packets.MaxLength)
	if p := exchange(t, auth, m.Write(buf, packets.PAP, 7)); p.Code != radius.CodeAccessAccept || p.Identifier != 7 {
		t.Errorf("PAP is answered with %v (identifier %d), want Access-Accept (7)", p.Code, p.Identifier)
	}
	p := exchange(t, auth, m.Write(buf, packets.EAP, 8))
	if p.Code != radius.CodeAccessChallenge || rfc2865.State_Get(p) == nil || rfc2869.EAPMessage_Get(p) == nil {
		t.Errorf("EAP is answered with %v, want Access-Challenge with State and EAP-Message", p.Code)
	}
	if p := exchange(t, acct, m.Write(buf, packets.Acct, 9)); p.Code != radius.CodeAccountingResponse {
		t.Errorf("accounting is answered with %v, want Accounting-Response", p.Code)
	}
}

// RFC 2865 §5.33: Proxy-State is returned, in order.
func TestProxyState(t *testing.T) {
	_, _, acct := start(t, Config{})
	request := radius.New(radius.CodeAccountingRequest, secret)
	_ = rfc2865.ProxyState_AddString(request, "one")
	_ = rfc2865.ProxyState_AddString(request, "two")
	b, err := request.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, _ := rfc2865.ProxyState_GetStrings(exchange(t, acct, b))
	if len(got) != 2 || got[0] != "one" || got[1] != "two" {
		t.Errorf("Proxy-State is returned as %q, want [one two]", got)
	}
}

// RFC 2548 §2.4.2: the keys decrypt to 32 octets each.
func TestKeys(t *testing.T) {
	_, auth, _ := start(t, Config{Keys: true})
	m := packets.NewMaker(secret)
	request := m.Write(make([]byte, packets.MaxLength), packets.EAP, 1)
	p := exchange(t, auth, request)
	if p.Code != radius.CodeAccessAccept {
		t.Fatalf("EAP is answered with %v, want Access-Accept", p.Code)
	}
	// layeh.com/radius decrypts with the authenticator of the packet it is given.
	for typ, got := range map[byte][]byte{16: microsoft.MSMPPESendKey_Get(p, p), 17: microsoft.MSMPPERecvKey_Get(p, p)} {
		if len(got) != 32 || got[0] != typ || got[31] != typ+31 {
			t.Errorf("MS-MPPE key %d decrypts to %x, want 32 octets from %02x on", typ, got, typ)
		}
	}
}

func TestDelayDropVerify(t *testing.T) {
	m := packets.NewMaker(secret)
	buf := make([]byte, packets.MaxLength)

	_, auth, _ := start(t, Config{Delay: 30 * time.Millisecond})
	from := time.Now()
	exchange(t, auth, m.Write(buf, packets.PAP, 1))
	if took := time.Since(from); took < 30*time.Millisecond {
		t.Errorf("the reply arrived after %v, want 30 ms or more", took)
	}

	s, auth, _ := start(t, Config{Verify: true})
	wrong := m.Write(buf, packets.PAP, 1)
	wrong[30] ^= 1
	if _, err := auth.Write(wrong); err != nil {
		t.Fatal(err)
	}
	exchange(t, auth, m.Write(buf, packets.PAP, 2)) // the first reply is to the right request
	if s.Bad.Load() != 1 || s.Received.Load() != 2 {
		t.Errorf("%d of %d requests were bad, want 1 of 2", s.Bad.Load(), s.Received.Load())
	}

	s, auth, _ = start(t, Config{Drop: 100})
	if _, err := auth.Write(m.Write(buf, packets.PAP, 3)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); s.Dropped.Load() != 1; {
		if time.Now().After(deadline) {
			t.Fatal("the request was not dropped")
		}
	}
}
