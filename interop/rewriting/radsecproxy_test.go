package rewriting

import (
	"fmt"
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
	"radsec-gw/interop/testbed"
)

// radsecproxy is radsecproxy with a client for each case, all of which send to one server.
type radsecproxy struct {
	port int
	p    *process.Process
}

const nasSecret = "nas-Secret-5"

func startRadsecproxy(t *testing.T, cases []rewriting, s *server) *radsecproxy {
	t.Helper()
	list, err := ports.UDP(1)
	if err != nil {
		t.Fatal(err)
	}
	r := &radsecproxy{port: list[0]}
	var b strings.Builder
	fmt.Fprintf(&b, "ListenUDP *:%d\nLogLevel 2\n", r.port)
	for i, c := range cases {
		b.WriteString(c.radsecproxyBlocks(i, "type udp\n\tsecret "+nasSecret))
	}
	fmt.Fprintf(&b, "server s {\n\thost 127.0.0.1\n\ttype udp\n\tport %d\n\tsecret %s\n\tStatusServer off\n}\nrealm * {\n\tserver s\n}\n", s.port(), s.secret)
	file := filepath.Join(t.TempDir(), "radsecproxy.conf")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(exec.Command("radsecproxy", "-f", "-c", file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("radsecproxy printed:\n%s", process.LastLines(p.Printed(), 20))
		}
	})
	r.p = p
	return r
}

// radsecproxyBlocks returns the rewrite block of case i, and its client.
func (c *rewriting) radsecproxyBlocks(i int, options string) string {
	use := fmt.Sprintf("rewriteIn r%d", i)
	if c.reply != nil {
		use = fmt.Sprintf("rewriteOut r%d", i)
	}
	if c.theirs == "" {
		use = ""
	}
	if c.theirUserName != "" {
		use += "\n\trewriteAttribute User-Name:" + c.theirUserName
	}
	return fmt.Sprintf("rewrite r%d {\n\t%s\n}\nclient c%d {\n\thost %s\n\t%s\n\t%s\n}\n",
		i, strings.Join(strings.Split(c.theirs, "\n"), "\n\t"), i, address(i), options, use)
}

// ask sends a request as the client of case i, and returns the reply; nil if there is none.
func (r *radsecproxy) ask(t *testing.T, i int, attributes radius.Attributes) *radius.Packet {
	t.Helper()
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(address(i))}, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: r.port})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := request(nasSecret, attributes)
	octets, err := signed(p, p.Authenticator)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n := 0
	testbed.Eventually(patience, func() bool { // the program may not listen yet
		if r.p.Alive() != nil {
			t.Fatalf("radsecproxy has ended:\n%s", r.p.Printed())
		}
		conn.Write(octets)
		conn.SetReadDeadline(time.Now().Add(time.Second))
		n, err = conn.Read(buf)
		return err == nil
	})
	if n == 0 {
		return nil
	}
	reply, err := radius.Parse(buf[:n], p.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// address is that of the client of case i.
func address(i int) string { return fmt.Sprintf("127.0.2.%d", i+1) }
