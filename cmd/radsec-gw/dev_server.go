package main

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
)

// The one user of dev's RADIUS server.
const (
	devUser     = "bob"
	devPassword = "hello"
)

// devServer is a RADIUS server on UDP for trying the gateway out: one user, PAP and CHAP. It answers
// like a server that heeds RFC 3579 §3.2: an Access-Request without a valid Message-Authenticator is
// dropped, and replies to it begin with one.
type devServer struct {
	// static after construction
	auth, acct, coa int // ports of 127.0.0.1
	secret          []byte
	out             io.Writer // a line for each request; safe for several goroutines
	servers         []*radius.PacketServer

	running sync.WaitGroup
}

// startDevServer opens three ports that are free and answers on them until Close.
func startDevServer(secret []byte, out io.Writer) (*devServer, error) {
	d := &devServer{secret: secret, out: out}
	for _, s := range []struct {
		port    *int
		handler radius.HandlerFunc
	}{{&d.auth, d.access}, {&d.acct, d.accounting}, {&d.coa, d.change}} {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		*s.port = conn.LocalAddr().(*net.UDPAddr).Port
		server := &radius.PacketServer{
			Handler:      s.handler,
			SecretSource: radius.StaticSecretSource(secret),
			ErrorLog:     log.New(out, "RADIUS server: ", 0),
		}
		d.servers = append(d.servers, server)
		d.running.Go(func() {
			if err := server.Serve(conn); !errors.Is(err, radius.ErrServerShutdown) {
				d.printf("stopped: %v", err)
			}
		})
	}
	return d, nil
}

// Close ends the server and waits for its goroutines.
func (d *devServer) Close() error {
	var failed []error
	for _, s := range d.servers {
		failed = append(failed, s.Shutdown(context.Background()))
	}
	d.running.Wait()
	return errors.Join(failed...)
}

// access answers Access-Request and Status-Server.
func (d *devServer) access(w radius.ResponseWriter, r *radius.Request) {
	octets, err := r.MarshalBinary()
	if err == nil {
		err = messageAuthenticator(octets, d.secret, r.Authenticator)
	}
	if err != nil {
		d.printf("dropped %v: Message-Authenticator %v", r.Code, err)
		return
	}
	if r.Code == radius.CodeStatusServer {
		d.reply(w, r, radius.CodeAccessAccept, true)
		return
	}
	user := rfc2865.UserName_GetString(r.Packet)
	if r.Code != radius.CodeAccessRequest {
		d.printf("dropped %v: not for this port", r.Code)
		return
	}
	if user != devUser || !d.passwordRight(r.Packet) {
		d.printf("Access-Request of %q: wrong user or password", user)
		d.reply(w, r, radius.CodeAccessReject, true)
		return
	}
	d.printf("Access-Request of %q over UDP, Message-Authenticator verified, password right", user)
	d.reply(w, r, radius.CodeAccessAccept, true, textAttribute(rfc2865.ReplyMessage_Type, "Hello, "+user))
}

// passwordRight checks CHAP-Password or User-Password (RFC 2865 §5.2, §5.3).
func (d *devServer) passwordRight(p *radius.Packet) bool {
	if chap := rfc2865.CHAPPassword_Get(p); len(chap) == 17 {
		challenge := rfc2865.CHAPChallenge_Get(p)
		if challenge == nil {
			challenge = p.Authenticator[:]
		}
		return subtle.ConstantTimeCompare(chap, chapResponse(chap[0], []byte(devPassword), challenge)) == 1
	}
	got := bytes.TrimRight(rfc2865.UserPassword_Get(p), "\x00")
	return subtle.ConstantTimeCompare(got, []byte(devPassword)) == 1
}

// accounting takes note of everything; the library has verified the Request Authenticator.
func (d *devServer) accounting(w radius.ResponseWriter, r *radius.Request) {
	if r.Code == radius.CodeStatusServer {
		d.reply(w, r, radius.CodeAccountingResponse, true)
		return
	}
	d.printf("%v %v, session %q, user %q", r.Code, rfc2866.AcctStatusType_Get(r.Packet),
		rfc2866.AcctSessionID_GetString(r.Packet), rfc2865.UserName_GetString(r.Packet))
	d.reply(w, r, radius.CodeAccountingResponse, false)
}

// change acknowledges CoA and Disconnect for the one user there is.
func (d *devServer) change(w radius.ResponseWriter, r *radius.Request) {
	ack, nak := radius.CodeCoAACK, radius.CodeCoANAK
	switch r.Code {
	case radius.CodeCoARequest:
	case radius.CodeDisconnectRequest:
		ack, nak = radius.CodeDisconnectACK, radius.CodeDisconnectNAK
	case radius.CodeStatusServer:
		d.reply(w, r, radius.CodeAccessAccept, true)
		return
	default:
		d.printf("dropped %v: not for this port", r.Code)
		return
	}
	signed := r.Get(rfc2869.MessageAuthenticator_Type) != nil // RFC 5176 §3.4: optional
	user := rfc2865.UserName_GetString(r.Packet)
	d.printf("%v for %q", r.Code, user)
	if user != devUser {
		cause := &radius.AVP{Type: rfc3576.ErrorCause_Type, Attribute: radius.NewInteger(503)}
		d.reply(w, r, nak, signed, cause)
		return
	}
	d.reply(w, r, ack, signed)
}

// reply signs and sends one; Proxy-State is sent back (RFC 2865 §5.33).
func (d *devServer) reply(w radius.ResponseWriter, r *radius.Request, code radius.Code, signed bool, attributes ...*radius.AVP) {
	p := r.Response(code)
	p.Attributes = attributes
	for _, a := range r.Attributes {
		if a.Type == rfc2865.ProxyState_Type {
			p.Attributes = append(p.Attributes, a)
		}
	}
	if signed {
		addMessageAuthenticator(p)
	}
	if _, err := sign(p); err != nil {
		d.printf("cannot sign %v: %v", code, err)
		return
	}
	if err := w.Write(p); err != nil {
		d.printf("cannot send %v: %v", code, err)
	}
}

func textAttribute(t radius.Type, text string) *radius.AVP {
	return &radius.AVP{Type: t, Attribute: radius.Attribute(text)}
}

func (d *devServer) printf(format string, args ...any) {
	fmt.Fprintf(d.out, "  [RADIUS server] "+format+"\n", args...)
}
