package dev

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"
	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"

	"radsec-gw/probe"
)

var serverSecret = []byte("between-client-and-server")

// signed returns a request of the attributes, which begins with a signed Message-Authenticator.
func signed(t *testing.T, code radius.Code, attributes ...*radius.AVP) *radius.Packet {
	t.Helper()
	p := radius.New(code, serverSecret)
	p.Attributes = attributes
	probe.AddMessageAuthenticator(p)
	sign(t, p)
	return p
}

// sign signs p, as probe.Sign does.
func sign(t *testing.T, p *radius.Packet) {
	t.Helper()
	if _, err := probe.Sign(p); err != nil {
		t.Fatal(err)
	}
}

// password returns User-Password as it is in the request with this authenticator.
func password(t *testing.T, text string, authenticator [16]byte) *radius.AVP {
	t.Helper()
	a, err := radius.NewUserPassword([]byte(text), serverSecret, authenticator[:])
	if err != nil {
		t.Fatal(err)
	}
	return &radius.AVP{Type: rfc2865.UserPassword_Type, Attribute: a}
}

// A server ends with all its goroutines.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A client sends each kind of request, and sees the reply.
func TestServer(t *testing.T) {
	s, err := startServer(serverSecret, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	bob, alice := textAttribute(rfc2865.UserName_Type, knownUser), textAttribute(rfc2865.UserName_Type, "alice")
	login := func(user *radius.AVP, text string) *radius.Packet {
		p := radius.New(radius.CodeAccessRequest, serverSecret)
		p.Attributes = radius.Attributes{user, password(t, text, p.Authenticator), textAttribute(rfc2865.ProxyState_Type, "mine")}
		probe.AddMessageAuthenticator(p)
		sign(t, p)
		return p
	}
	for _, c := range []struct {
		name    string
		port    int
		request *radius.Packet
		want    radius.Code
	}{
		{"a login", s.AuthPort, login(bob, knownPassword), radius.CodeAccessAccept},
		{"a wrong password", s.AuthPort, login(bob, "wrong"), radius.CodeAccessReject},
		{"an unknown user", s.AuthPort, login(alice, knownPassword), radius.CodeAccessReject},
		{"Status-Server", s.AuthPort, signed(t, radius.CodeStatusServer), radius.CodeAccessAccept},
		{"Status-Server for accounting", s.AcctPort, signed(t, radius.CodeStatusServer), radius.CodeAccountingResponse},
		{"accounting", s.AcctPort, &radius.Packet{Code: radius.CodeAccountingRequest, Secret: serverSecret,
			Attributes: radius.Attributes{bob, {Type: rfc2866.AcctStatusType_Type, Attribute: radius.NewInteger(1)}}}, radius.CodeAccountingResponse},
		{"CoA", s.CoAPort, signed(t, radius.CodeCoARequest, bob), radius.CodeCoAACK},
		{"Disconnect", s.CoAPort, signed(t, radius.CodeDisconnectRequest, bob), radius.CodeDisconnectACK},
		{"Disconnect of nobody", s.CoAPort, signed(t, radius.CodeDisconnectRequest, alice), radius.CodeDisconnectNAK},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			reply, err := radius.Exchange(ctx, c.request, fmt.Sprintf("127.0.0.1:%d", c.port))
			if err != nil {
				t.Fatal(err)
			}
			if reply.Code != c.want {
				t.Errorf("the reply is %v, want %v", reply.Code, c.want)
			}
			if got, want := rfc2865.ProxyState_GetString(reply), rfc2865.ProxyState_GetString(c.request); got != want {
				t.Errorf("Proxy-State is %q, want %q", got, want)
			}
			if c.want == radius.CodeDisconnectNAK && rfc3576.ErrorCause_Get(reply) != rfc3576.ErrorCause_Value_SessionContextNotFound {
				t.Errorf("Error-Cause is %v, want Session-Context-Not-Found", rfc3576.ErrorCause_Get(reply))
			}
			if c.port == s.AuthPort && (len(reply.Attributes) == 0 || reply.Attributes[0].Type != rfc2869.MessageAuthenticator_Type) {
				t.Error("the reply does not begin with Message-Authenticator")
			}
		})
	}
}

// An Access-Request without a valid Message-Authenticator gets no reply.
func TestServerDropsUnsigned(t *testing.T) {
	s, err := startServer(serverSecret, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	unsigned := radius.New(radius.CodeAccessRequest, serverSecret)
	unsigned.Attributes = radius.Attributes{textAttribute(rfc2865.UserName_Type, knownUser), password(t, knownPassword, unsigned.Authenticator)}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	client := radius.Client{Retry: 20 * time.Millisecond}
	if reply, err := client.Exchange(ctx, unsigned, fmt.Sprintf("127.0.0.1:%d", s.AuthPort)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v (%v), want no reply", reply, err)
	}
}
