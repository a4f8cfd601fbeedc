package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/audit"
	"radsec-gw/bench/process"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/logs"
	"radsec-gw/probe"
)

// observersConfig enables everything that reports requests.
const observersConfig = `[listen]
address = ["127.0.0.1:0"]
certificate = "certs/dev/server.pem"
private_key = "certs/dev/server.key"
client_ca = "certs/dev/ca.pem"
[[client]]
name = "campus"
networks = ["127.0.0.0/8"]
secret = "client-Secret-of-this-test"
[[server]]
name = "udp"
address = "127.0.0.1"
auth_port = %d
acct_port = %d
coa_port = %d
secret = %q
health = "none"
[[route]]
realms = ["example.org"]
servers = ["udp"]
[metrics]
address = "127.0.0.1:0"
token = %q
[log]
level = "debug"
requests = true
user = "full"
station = "full"
fticks = "eduroam"
fticks_country = "DE"
[tap]
socket = "tap.sock"
`

// A login is reported by a gateway that reports everything: in its log at debug level, in a
// line for the request, by F-Ticks, to a tap and on the status page. None of them shows the
// password, a secret, the private key or the token.
func TestObserversShowNoSecrets(t *testing.T) {
	const token, password = "token-of-this-test", "correct horse battery staple"
	ports := answering(t)
	dir, file := gatewaytest.Dir(t, fmt.Sprintf(observersConfig, ports[0], ports[1], ports[2], gatewaytest.Secret, token))
	p := planOf(t, file)
	var out process.Output
	ctx, cancel := context.WithCancel(t.Context())
	lines := logs.New(&out, p.LogConfig())
	defer lines.Close()
	gw, err := Start(ctx, p, Options{Log: slog.New(lines)})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	shown, tapped := tapOf(t, p.Config.Tap.Socket, audit.Filter{Realm: "example.org"})
	gatewaytest.Await(t, shown, "showing")
	certificates := filepath.Join(dir, "certs/dev")
	login := probe.Config{
		Kind: probe.Access, Address: gw.Addr().String(), CertFile: filepath.Join(certificates, "client.pem"), KeyFile: filepath.Join(certificates, "client.key"),
		CAFile: filepath.Join(certificates, "ca.pem"), Secret: "client-Secret-of-this-test", User: "bob@example.org", Password: password, Timeout: gatewaytest.Patience,
	}
	if _, err := probe.Run(ctx, login, io.Discard); err != nil {
		t.Fatalf("the login: %v", err)
	}
	gatewaytest.Await(t, &out, "F-TICKS/eduroam/1.0#REALM=example.org#VISCOUNTRY=DE#")
	gatewaytest.Await(t, &out, "msg=request client=campus peer=127.0.0.1:")
	gatewaytest.Await(t, &out, "kind=access realm=example.org user=bob@example.org")
	gatewaytest.Await(t, &out, "server=udp port=auth fate=relayed reply=Access-Accept")
	gatewaytest.Await(t, &out, "tries=1")
	gatewaytest.Await(t, shown, "User-Password = [hidden]")
	gatewaytest.Await(t, shown, "<- relayed, Access-Request Token")
	gatewaytest.Await(t, shown, "server udp auth")
	g := &testGateway{t: t, gw: gw}
	_, page := g.get("/")
	if !strings.Contains(page, "give the token") {
		t.Errorf("the page without the token: %q", page)
	}
	cancel()
	if err := gw.Wait(); err != nil {
		t.Error(err)
	}
	<-tapped
	lines.Close()
	key, err := os.ReadFile(p.Config.Listen.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	keyLine := strings.Split(string(key), "\n")[1] // the first of the PEM's body
	all := out.String() + shown.String() + page
	for what, hidden := range map[string]string{"the password": password, "the client's secret": "client-Secret-of-this-test",
		"the server's secret": gatewaytest.Secret, "the token": token, "the private key": keyLine,
		"the password in hex": fmt.Sprintf("%x", password)} {
		if strings.Contains(all, hidden) {
			t.Errorf("%s is shown", what)
		}
	}
}
