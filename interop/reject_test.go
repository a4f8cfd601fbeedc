package interop

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/bench/faulty"
	"radsec-gw/bench/ports"
	"radsec-gw/interop/testbed"
	"radsec-gw/probe"
)

// AR12 and AR13. Who has a wrong password at FreeRADIUS is asked of another server, which
// accepts; who has the right one is not. Where two FreeRADIUS reject, the client gets the Reject.
// Accounting is answered by the gateway, and reaches no server.
// Rules: AR12, AR13
func TestRejectAsksTheNextServer(t *testing.T) {
	second := startSecondFreeRADIUS(t)
	last, err := faulty.Listen(faulty.Config{Auth: "127.0.0.1:0", Acct: "127.0.0.1:0", Secret: []byte(udpSecret)})
	if err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	port := startRejectGateway(t, map[string]int{"a": shared.ports.auth, "b": second, "c": last.AuthPort()})
	ask := func(cfg probe.Config) testbed.Result {
		cfg.Version = "1.0"
		return probeUntil(context.Background(), port, shared.path("certs"), cfg)
	}
	for deadline := time.Now().Add(patience); ask(probe.Config{Kind: probe.Status, Timeout: time.Second}).Status != 0 && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond) // from outside nothing reports that a port is open now
	}
	login := func(user, password string) testbed.Result {
		return ask(probe.Config{Kind: probe.Access, User: user, Password: password})
	}
	expect(t, login("bob", userPassword), 0, "verified Access-Accept", `Reply-Message = "Hello, bob`)
	if n := last.Counts().Got[radius.CodeAccessRequest]; n != 0 {
		t.Errorf("the last server got %d requests, expected none", n)
	}
	expect(t, login("bob", wrongPassword), 1, "received Access-Reject")
	expect(t, login("bob@three.example", wrongPassword), 0, "verified Access-Accept")
	expect(t, ask(probe.Config{Kind: probe.Accounting, User: "bob@three.example"}), 0, "Accounting-Response")
	got := last.Counts().Got
	if got[radius.CodeAccessRequest] != 1 || got[radius.CodeAccountingRequest] != 0 {
		t.Errorf("the last server got %v, expected the one request that both FreeRADIUS rejected", got)
	}
}

// startRejectGateway runs a gateway that asks the next server after a Reject, and answers
// accounting, and returns its port: users without a realm have the servers a and b, those of
// three.example a, b and c.
func startRejectGateway(t *testing.T, servers map[string]int) (port int) {
	t.Helper()
	address, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "[listen]\naddress = [%q]\ncertificate = \"certs/server.pem\"\nprivate_key = \"certs/server.key\"\nclient_ca = \"certs/ca.pem\"\n[metrics]\naddress = \"\"\n[[client]]\nname = \"any\"\n", address)
	for name, port := range servers {
		fmt.Fprintf(&text, "[[server]]\nname = %q\naddress = \"127.0.0.1\"\nauth_port = %d\nacct_port = 0\ncoa_port = 0\nsecret = %q\nhealth = \"none\"\n", name, port, udpSecret)
	}
	for realm, list := range map[string]string{"": `"a", "b"`, "three.example": `"a", "b", "c"`} {
		fmt.Fprintf(&text, "[[route]]\nrealms = [%q]\nservers = [%s]\non_reject = \"next\"\naccounting = \"answer\"\n", realm, list)
	}
	file := shared.path("reject.toml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := start(nil, testbed.Program(), "serve", "-config", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(patience); err != nil {
			t.Errorf("the gateway after SIGTERM: %v", err)
		}
	})
	port, err = strconv.Atoi(address[strings.LastIndexByte(address, ':')+1:])
	if err != nil {
		t.Fatal(err)
	}
	return port
}
