package interop

import (
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
	"radsec-gw/probe"
)

// acceptingServer is a RADIUS server that accepts who has userPassword, and who only authorizes
// again; it gives a Class, and acknowledges accounting.
type acceptingServer struct {
	t          *testing.T
	auth, acct int // UDP

	mu   sync.Mutex // guards what is below
	kept []string   // of accounting: status and Class
}

func startAcceptingServer(t *testing.T) *acceptingServer {
	t.Helper()
	s := &acceptingServer{t: t}
	server := radius.PacketServer{SecretSource: radius.StaticSecretSource([]byte(udpSecret)), Handler: s}
	for _, port := range []*int{&s.auth, &s.acct} {
		conn := listenUDP(t)
		*port = portOf(conn)
		served := make(chan error, 1)
		go func(conn net.PacketConn) { served <- server.Serve(conn) }(conn)
		t.Cleanup(func() {
			conn.Close()
			<-served
		})
	}
	return s
}

// accounted is what was received, in order.
func (s *acceptingServer) accounted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}

// ServeRADIUS answers a request, with its Proxy-State.
func (s *acceptingServer) ServeRADIUS(w radius.ResponseWriter, request *radius.Request) {
	var response *radius.Packet
	switch {
	case request.Code == radius.CodeAccountingRequest:
		response = request.Response(radius.CodeAccountingResponse)
		s.mu.Lock()
		s.kept = append(s.kept, fmt.Sprint(rfc2866.AcctStatusType_Get(request.Packet), " ", rfc2865.Class_GetString(request.Packet)))
		s.mu.Unlock()
	case rfc2865.UserPassword_GetString(request.Packet) == userPassword, rfc2865.ServiceType_Get(request.Packet) == 17: // Authorize-Only
		response = request.Response(radius.CodeAccessAccept)
		response.Add(rfc2865.Class_Type, []byte("class of bob"))
		probe.AddMessageAuthenticator(response)
	default:
		response = request.Response(radius.CodeAccessReject)
		probe.AddMessageAuthenticator(response)
	}
	for _, a := range request.Attributes {
		if a.Type == rfc2865.ProxyState_Type {
			response.Attributes = append(response.Attributes, a)
		}
	}
	if _, err := probe.Sign(response); err != nil {
		s.t.Error(err)
	} else if err := w.Write(response); err != nil {
		s.t.Error(err)
	}
}

// startGatewayWith runs a gateway of this configuration beside the bed's, with its certificates, until
// the test ends. It returns when it answers on its port for RadSec.
func startGatewayWith(t *testing.T, radsec int, config string) *process.Process {
	t.Helper()
	file := shared.path(fmt.Sprintf("radsec-gw-%d.toml", radsec))
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := start(nil, testbed.Program(), "serve", "-config", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := p.Stop(patience)
		if err != nil {
			t.Errorf("the gateway after SIGTERM: %v", err)
		}
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", p.Output().Last(40))
		}
		if leaked := leaks(p.Printed()); leaked != nil {
			t.Errorf("the gateway printed %q", leaked)
		}
	})
	b := *shared
	b.gateway, b.ports.radsec = p, radsec
	if err := b.awaitAnswer(patience); err != nil {
		t.Fatal(err)
	}
	return p
}
