package dev

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"

	"radsec-gw/probe"
)

// The only user that the server knows.
const (
	knownUser     = "bob"
	knownPassword = "hello"
)

// server is a RADIUS server over UDP for trying the gateway: one user, PAP and CHAP. It follows
// RFC 3579 §3.2: an Access-Request without a valid Message-Authenticator is dropped, and replies to
// it begin with one.
type server struct {
	// static after construction
	AuthPort, AcctPort, CoAPort int // of 127.0.0.1
	secret                      []byte
	out                         io.Writer // a line for each request; safe for several goroutines
	servers                     []*radius.PacketServer
	gateway                     string // host:port where it sends Disconnect-Requests over UDP

	running sync.WaitGroup
}

// startServer opens three free ports and answers on them until close. It writes a line to out for
// each request, from several goroutines.
func startServer(secret []byte, out io.Writer) (*server, error) {
	s := &server{secret: secret, out: out}
	for _, port := range []struct {
		number  *int
		handler radius.HandlerFunc
	}{{&s.AuthPort, s.access}, {&s.AcctPort, s.accounting}, {&s.CoAPort, s.change}} {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		*port.number = conn.LocalAddr().(*net.UDPAddr).Port
		server := &radius.PacketServer{
			Handler:      port.handler,
			SecretSource: radius.StaticSecretSource(secret),
			ErrorLog:     log.New(out, "RADIUS server: ", 0),
		}
		s.servers = append(s.servers, server)
		s.running.Go(func() {
			if err := server.Serve(conn); !errors.Is(err, radius.ErrServerShutdown) {
				s.printf("stopped: %v", err)
			}
		})
	}
	return s, nil
}

// close stops the server and waits for its goroutines.
func (s *server) close() error {
	var failed []error
	for _, server := range s.servers {
		failed = append(failed, server.Shutdown(context.Background()))
	}
	s.running.Wait()
	return errors.Join(failed...)
}

// access answers Access-Request and Status-Server.
func (s *server) access(w radius.ResponseWriter, r *radius.Request) {
	packet, err := r.MarshalBinary()
	if err == nil {
		err = probe.VerifyMessageAuthenticator(packet, s.secret, r.Authenticator)
	}
	if err != nil {
		s.printf("dropped %v: Message-Authenticator %v", r.Code, err)
		return
	}
	if r.Code == radius.CodeStatusServer {
		s.reply(w, r, radius.CodeAccessAccept, true)
		return
	}
	user := rfc2865.UserName_GetString(r.Packet)
	if r.Code != radius.CodeAccessRequest {
		s.printf("dropped %v: not for this port", r.Code)
		return
	}
	if user != knownUser || !s.passwordRight(r.Packet) {
		s.printf("Access-Request of %q: wrong user or password", user)
		s.reply(w, r, radius.CodeAccessReject, true)
		return
	}
	s.printf("Access-Request of %q over UDP, Message-Authenticator verified, password right", user)
	s.reply(w, r, radius.CodeAccessAccept, true, textAttribute(rfc2865.ReplyMessage_Type, "Hello, "+user))
}

// passwordRight reports whether p has the right CHAP-Password or User-Password (RFC 2865 §5.2, §5.3).
func (s *server) passwordRight(p *radius.Packet) bool {
	if chap := rfc2865.CHAPPassword_Get(p); len(chap) == 17 {
		challenge := rfc2865.CHAPChallenge_Get(p)
		if challenge == nil {
			challenge = p.Authenticator[:]
		}
		return subtle.ConstantTimeCompare(chap, probe.CHAPResponse(chap[0], []byte(knownPassword), challenge)) == 1
	}
	got := bytes.TrimRight(rfc2865.UserPassword_Get(p), "\x00")
	return subtle.ConstantTimeCompare(got, []byte(knownPassword)) == 1
}

// accounting acknowledges every request; the library has verified the Request Authenticator.
func (s *server) accounting(w radius.ResponseWriter, r *radius.Request) {
	if r.Code == radius.CodeStatusServer {
		s.reply(w, r, radius.CodeAccountingResponse, true)
		return
	}
	s.printf("%v %v, session %q, user %q", r.Code, rfc2866.AcctStatusType_Get(r.Packet),
		rfc2866.AcctSessionID_GetString(r.Packet), rfc2865.UserName_GetString(r.Packet))
	s.reply(w, r, radius.CodeAccountingResponse, false)
}

// change acknowledges CoA-Requests and Disconnect-Requests for knownUser.
func (s *server) change(w radius.ResponseWriter, r *radius.Request) {
	ack, nak := radius.CodeCoAACK, radius.CodeCoANAK
	switch r.Code {
	case radius.CodeCoARequest:
	case radius.CodeDisconnectRequest:
		ack, nak = radius.CodeDisconnectACK, radius.CodeDisconnectNAK
	case radius.CodeStatusServer:
		s.reply(w, r, radius.CodeAccessAccept, true)
		return
	default:
		s.printf("dropped %v: not for this port", r.Code)
		return
	}
	signed := r.Get(rfc2869.MessageAuthenticator_Type) != nil // RFC 5176 §3.4: optional
	user := rfc2865.UserName_GetString(r.Packet)
	s.printf("%v for %q", r.Code, user)
	if user != knownUser {
		cause := &radius.AVP{Type: rfc3576.ErrorCause_Type, Attribute: radius.NewInteger(503)}
		s.reply(w, r, nak, signed, cause)
		return
	}
	s.reply(w, r, ack, signed)
}

// reply signs and sends a reply, with the Proxy-State of its request (RFC 2865 §5.33).
func (s *server) reply(w radius.ResponseWriter, r *radius.Request, code radius.Code, signed bool, attributes ...*radius.AVP) {
	p := r.Response(code)
	p.Attributes = attributes
	for _, a := range r.Attributes {
		if a.Type == rfc2865.ProxyState_Type {
			p.Attributes = append(p.Attributes, a)
		}
	}
	if signed {
		probe.AddMessageAuthenticator(p)
	}
	if _, err := probe.Sign(p); err != nil {
		s.printf("cannot sign %v: %v", code, err)
		return
	}
	if err := w.Write(p); err != nil {
		s.printf("cannot send %v: %v", code, err)
	}
}

// textAttribute returns an attribute of type t that holds text.
func textAttribute(t radius.Type, text string) *radius.AVP {
	return &radius.AVP{Type: t, Attribute: radius.Attribute(text)}
}

// printf writes a line about a request.
func (s *server) printf(format string, args ...any) {
	fmt.Fprintf(s.out, "  [RADIUS server] "+format+"\n", args...)
}
