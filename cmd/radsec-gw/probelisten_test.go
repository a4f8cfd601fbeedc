package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc3576"

	bench "radsec-gw/bench/process"
	"radsec-gw/gateway"
	"radsec-gw/gateway/gatewaytest"
)

// reverseCase is what probe -listen does with a Disconnect-Request of a UDP server, and what
// becomes of it.
type reverseCase struct {
	name  string
	flags string // after access … -listen 20s

	answer radius.Code // that the server gets; 0: none
	cause  rfc3576.ErrorCause
	fate   string // at the gateway
	also   string // a line of the metrics of the gateway
	logged string // by the gateway

	interrupt bool // when the gateway has its fate
	exit      int
	says      string // in what the probe prints
}

var reverseCases = []reverseCase{
	{name: "ACK", flags: "-count 1", answer: radius.CodeDisconnectACK, fate: "relayed", says: "\nsent Disconnect-ACK, "},
	{name: "NAK", flags: "-count 1 -answer nak -error-cause 503", answer: radius.CodeDisconnectNAK, cause: 503, fate: "relayed", says: "\nsent Disconnect-NAK, "},
	{name: "another NAK, later", flags: "-count 1 -answer nak -error-cause 504 -delay 50ms", answer: radius.CodeDisconnectNAK, cause: 504, fate: "relayed", says: ", after 50ms\n"},
	{name: "twice", flags: "-count 1 -twice", answer: radius.CodeDisconnectACK, fate: "relayed", says: ", twice\n",
		also: `radsec_gw_requests_total{client="campus",fate="late_answer",kind="other"} 1`},
	{name: "none", flags: "-answer none", fate: "nas_silent", interrupt: true, says: "\nverified all of 1 requests\n"},
	{name: "gone", flags: "-answer none -count 1", fate: "client_gone", says: "\nverified all of 1 requests\n"},
	{name: "wrong code", flags: "-wrong code", fate: "nas_silent", interrupt: true, says: "\nsent CoA-ACK, "},
	{name: "wrong identifier", flags: "-wrong identifier", fate: "nas_silent", interrupt: true, says: ", with a wrong identifier\n"},
	{name: "wrong authenticator", flags: "-wrong authenticator", fate: "client_gone", exit: 1, logged: "Response Authenticator",
		says: "\nradsec-gw probe: the gateway closed the connection after 1 requests; its log says why\n"},
}

// A Disconnect-Request that a server sends to the gateway over UDP arrives at a probe that
// plays the NAS, and the server gets its answer once, or none if that is not a good one.
// Rules: RC7, RC12, RC16, RC20
func TestProbeListen(t *testing.T) {
	for _, version := range []string{"1.0", "1.1"} {
		for _, c := range reverseCases {
			if version == "1.1" && c.name == "wrong authenticator" { // which it does not have
				continue
			}
			t.Run(c.name+" in "+version, func(t *testing.T) {
				t.Parallel()
				c.run(startReverseBed(t), version)
			})
		}
	}
}

func (c *reverseCase) run(b *reverseBed, version string) {
	b.t.Helper()
	nas, said := b.listen(version, c.flags)
	asked := b.disconnect("5f3a")
	if c.answer != 0 {
		b.expect(asked, c.answer, c.cause)
	}
	b.await(fmt.Sprintf(`radsec_gw_reverse_requests_total{fate=%q,kind="disconnect"} 1`, c.fate))
	if c.interrupt {
		if err := nas.Process.Signal(os.Interrupt); err != nil {
			b.t.Error(err)
		}
	}
	nas.Wait()
	if got := nas.ProcessState.ExitCode(); got != c.exit || !strings.Contains(said.String(), c.says) {
		b.t.Errorf("the probe ends with %d, expected %d and %q in\n%s", got, c.exit, c.says, said)
	}
	if version == "1.0" != strings.Contains(said.String(), "Request Authenticator: verified\n") {
		b.t.Errorf("the request was not verified as of RADIUS/%s:\n%s", version, said)
	}
	b.await(c.also)
	gatewaytest.Await(b.t, b.log, c.logged)
	// Nothing comes between this and what came before.
	b.expect(b.disconnect("nobody's"), radius.CodeDisconnectNAK, 502)
}

// reverseBed is a gateway with reverse_coa, and a server that sends it Disconnect-Requests.
type reverseBed struct {
	t    *testing.T
	dir  string
	gw   *gateway.Gateway
	log  *bench.Output
	conn net.Conn // of the server
}

func startReverseBed(t *testing.T) *reverseBed {
	t.Helper()
	unused, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dynamic := unused.LocalAddr().String()
	unused.Close()
	text := strings.Replace(gatewaytest.Config(gatewaytest.Serve(t, gatewaytest.Accept)), "[[server]]", "reverse_coa = true\n[[server]]", 1)
	b := &reverseBed{t: t, log: &bench.Output{}}
	dir, file := gatewaytest.Dir(t, fmt.Sprintf("%s[dynamic_authorization]\naddress = [%q]\ntimeout = \"1s\"\n", text, dynamic))
	b.dir = dir
	plan, err := gateway.Load(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if b.gw, err = gateway.Start(t.Context(), plan, gateway.Options{Log: slog.New(slog.NewTextHandler(b.log, nil))}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.gw.Wait(); err != nil {
			t.Error(err)
		}
	})
	if b.conn, err = net.Dial("udp", dynamic); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.conn.Close() })
	return b
}

// listen starts a probe as the NAS of the session 5f3a, and waits until it listens.
func (b *reverseBed) listen(version, flags string) (nas *exec.Cmd, said *bench.Output) {
	b.t.Helper()
	args := []string{"probe", "access", "-address", b.gw.Addr().String(), "-certs", filepath.Join(b.dir, "certs/dev"), "-radius-version", version,
		"-user", "bob@example.org", "-password", "hello", "-attr", "NAS-Identifier=ap-17", "-attr", "Acct-Session-Id=5f3a", "-listen", "20s"}
	said = &bench.Output{}
	program, err := exec.LookPath("radsec-gw")
	if err != nil {
		b.t.Fatal(err)
	}
	nas = exec.Command(program, append(args, strings.Fields(flags)...)...)
	nas.Stdout, nas.Stderr = said, said
	if err := nas.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if nas.ProcessState == nil {
			nas.Process.Kill()
			nas.Wait()
		}
	})
	gatewaytest.Await(b.t, said, "waiting for CoA-Request and Disconnect-Request\n")
	return nas, said
}

// disconnect sends a Disconnect-Request that names nothing but a session, and returns it.
func (b *reverseBed) disconnect(session string) []byte {
	b.t.Helper()
	p := radius.New(radius.CodeDisconnectRequest, []byte(gatewaytest.Secret))
	rfc2866.AcctSessionID_SetString(p, session)
	sent, err := p.Encode()
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.conn.Write(sent); err != nil {
		b.t.Fatal(err)
	}
	return sent
}

// expect reads the next datagram of the gateway, which must be this answer to a request.
func (b *reverseBed) expect(request []byte, code radius.Code, cause rfc3576.ErrorCause) {
	b.t.Helper()
	b.conn.SetReadDeadline(time.Now().Add(gatewaytest.Patience))
	buffer := make([]byte, radius.MaxPacketLength)
	n, err := b.conn.Read(buffer)
	if err != nil {
		b.t.Fatalf("expected %v, got %v; the gateway says\n%s", code, err, b.log)
	}
	p, err := radius.Parse(buffer[:n], []byte(gatewaytest.Secret))
	switch {
	case err != nil:
		b.t.Errorf("expected %v, got % x: %v", code, buffer[:n], err)
	case p.Code != code || p.Identifier != request[1] || rfc3576.ErrorCause_Get(p) != cause:
		b.t.Errorf("expected %v to the request % x with the Error-Cause %d, got % x", code, request, cause, buffer[:n])
	case !radius.IsAuthenticResponse(buffer[:n], request, []byte(gatewaytest.Secret)):
		b.t.Errorf("the Response Authenticator of %v is wrong", code)
	}
}

// await waits until the gateway's metrics have a line; "" is there at once.
func (b *reverseBed) await(line string) {
	b.t.Helper()
	deadline, tick := time.After(gatewaytest.Patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.Get("http://" + b.gw.MetricsAddr().String() + "/metrics")
		if err != nil {
			b.t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			b.t.Fatal(err)
		}
		if strings.Contains(string(text), line) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatalf("expected the metric %s; the gateway says\n%s", line, b.log)
		}
	}
}
