package rewriting

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/interop/testbed"
)

// gateway is radsec-gw with a client for each case.
type gateway struct {
	port int
	dir  string
}

func startGateway(t *testing.T, cases []rewriting, s *server) *gateway {
	t.Helper()
	list, err := ports.TCP(1)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{port: list[0], dir: t.TempDir()}
	if _, err := certs.WriteDir(g.dir, certs.DirOptions{Clients: []string{"client"}}); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[listen]\naddress = [\"127.0.0.1:%d\"]\ncertificate = \"server.pem\"\nprivate_key = \"server.key\"\nclient_ca = \"ca.pem\"\n", g.port)
	fmt.Fprintf(&b, "[[server]]\nname = \"s\"\naddress = \"127.0.0.1\"\nauth_port = %d\nacct_port = 0\ncoa_port = 0\nsecret = %q\nhealth = \"none\"\n", s.port(), s.secret)
	b.WriteString("[[route]]\nrealms = [\"*\"]\npackets = [\"access\"]\nservers = [\"s\"]\n[routing]\nloop_marker = false\n[metrics]\naddress = \"\"\n[tap]\nsocket = \"\"\n")
	for i, c := range cases {
		use := "rules_request"
		if c.reply != nil {
			use = "rules_reply"
		}
		fmt.Fprintf(&b, "[[client]]\nname = \"c%d\"\nnetworks = [%q]\n", i, address(i)+"/32")
		keys := c.ours
		if c.ourRequest != "" {
			use, keys = "rules_request", c.ourRequest
		}
		fmt.Fprintf(&b, "%s = [\"r%d\"]\n[[rule]]\nname = \"r%d\"\n%s\n", use, i, i, keys)
	}
	file := filepath.Join(g.dir, "radsec-gw.toml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	serve(t, file)
	return g
}

// serve starts radsec-gw, and waits until it serves.
func serve(t *testing.T, file string) {
	t.Helper()
	p, err := process.Start(exec.Command(testbed.Program(), "serve", "-config", file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("the gateway printed:\n%s", process.LastLines(p.Printed(), 20))
		}
	})
	if !p.Output().Await(patience, func(text string) bool { return process.CountLines(text, "msg=serving") > 0 }) {
		t.Fatalf("the gateway does not serve:\n%s", p.Printed())
	}
}

// ask sends a request as the client of case i, and returns the reply; nil if there is none.
func (g *gateway) ask(t *testing.T, i int, attributes radius.Attributes) *radius.Packet {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(g.dir, "client.pem"), filepath.Join(g.dir, "client.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := certs.LoadCA(filepath.Join(g.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address(i))}, Timeout: patience}
	conn, err := tls.DialWithDialer(dialer, "tcp4", fmt.Sprintf("127.0.0.1:%d", g.port), &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: ca.Pool(), ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := request("radsec", attributes)
	octets, err := signed(p, p.Authenticator)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(octets); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	if _, err := io.ReadFull(conn, buf[:20]); err != nil {
		return nil
	}
	n := int(buf[2])<<8 | int(buf[3])
	if _, err := io.ReadFull(conn, buf[20:n]); err != nil {
		return nil
	}
	reply, err := radius.Parse(buf[:n], p.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// request returns an Access-Request.
func request(secret string, attributes radius.Attributes) *radius.Packet {
	p := radius.New(radius.CodeAccessRequest, []byte(secret))
	p.Attributes = append(radius.Attributes{{Type: 80, Attribute: make([]byte, 16)}}, attributes...)
	return p
}
