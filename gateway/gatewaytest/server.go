package gatewaytest

import (
	"context"
	"net"
	"testing"

	"radsec-gw/probe"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
)

// Serve starts a RADIUS server of layeh.com/radius on a UDP port of 127.0.0.1, which
// answers by handler and ends with the test.
func Serve(t testing.TB, handler radius.HandlerFunc) (port int) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &radius.PacketServer{SecretSource: radius.StaticSecretSource([]byte(Secret)), Handler: handler}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(conn)
	}()
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		conn.Close()
		<-done
	})
	return conn.LocalAddr().(*net.UDPAddr).Port
}

// Accept is a handler that accepts everything, with a Message-Authenticator in replies to
// Access-Request. The reply's Class is the request's User-Name.
func Accept(w radius.ResponseWriter, r *radius.Request) {
	code := map[radius.Code]radius.Code{1: 2, 4: 5, 40: 41, 43: 44}[r.Code]
	p := r.Response(code)
	rfc2865.Class_Add(p, []byte(rfc2865.UserName_GetString(r.Packet)))
	if r.Code == radius.CodeAccessRequest {
		probe.AddMessageAuthenticator(p)
		if _, err := probe.Sign(p); err != nil {
			return
		}
	}
	w.Write(p)
}
