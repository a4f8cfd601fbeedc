//go:build linux

package alerts

import (
	"sync/atomic"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/probe"
)

// mode is what a server does.
type mode int32

const (
	works    mode = iota
	dead          // it answers nothing
	hangs         // it answers Status-Server only
	unsigned      // its replies have no Message-Authenticator
)

// server is a RADIUS server that accepts everything, unless its mode says otherwise.
type server struct {
	port   int
	delay  time.Duration // before an answer to a login; static
	mode   atomic.Int32
	marker atomic.Pointer[[]byte] // the last Proxy-State that it has received
}

func startServer(t *testing.T, m mode, delay time.Duration) *server {
	t.Helper()
	s := &server{delay: delay}
	s.mode.Store(int32(m))
	s.port = gatewaytest.Serve(t, s.handle)
	return s
}

func (s *server) handle(w radius.ResponseWriter, r *radius.Request) {
	m := mode(s.mode.Load())
	check := r.Code == radius.CodeStatusServer
	if m == dead || m == hangs && !check {
		return
	}
	if state := rfc2865.ProxyState_Get(r.Packet); len(state) > 0 {
		s.marker.Store(&state)
	}
	if !check {
		select {
		case <-time.After(s.delay):
		case <-r.Context().Done():
			return
		}
	}
	p := r.Response(radius.CodeAccessAccept)
	if m != unsigned || check {
		probe.AddMessageAuthenticator(p)
		if _, err := probe.Sign(p); err != nil {
			return
		}
	}
	w.Write(p)
}
