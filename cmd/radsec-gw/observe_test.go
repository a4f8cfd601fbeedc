package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/audit"
	"radsec-gw/logs"
	"radsec-gw/probe"
)

// tellingConfig switches on all that tells of requests.
const tellingConfig = `[listen]
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

// A login through a gateway that tells everything it can, with its log at debug, a line for each request,
// F-Ticks, a tap, the page and the metrics: each tells of it, and none of the password, the secrets, the
// private key and the token.
func TestEverythingIsToldButTheSecrets(t *testing.T) {
	const token, password = "token-of-this-test", "correct horse battery staple"
	ports := answering(t)
	dir, file := checkDir(t, fmt.Sprintf(tellingConfig, ports[0], ports[1], ports[2], outsideSecret, token))
	p := planOf(t, file)
	var out, shown, printed lockedBuffer
	ctx, cancel := context.WithCancel(t.Context())
	lines := logs.New(&out, logConfig(&p.cfg.Log))
	defer lines.Close()
	gw, err := startGateway(ctx, p, slog.New(lines))
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	tapped := make(chan error)
	go func() { tapped <- tapInto(t.Context(), &shown, p.cfg.Tap.Socket, audit.Filter{Realm: "example.org"}) }()
	await := func(from *lockedBuffer, want string) {
		t.Helper()
		deadline, tick := time.After(patience), time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for !strings.Contains(from.String(), want) {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("%q does not come; there is\n%s", want, from.String())
			}
		}
	}
	await(&shown, "showing")
	options := devProbe(filepath.Join(dir, "certs/dev"), gw.Addr().String())
	options.Secret, options.User, options.Password = "client-Secret-of-this-test", "bob@example.org", password
	if _, err := probe.Run(ctx, options, &printed); err != nil {
		t.Fatalf("the login: %v\n%s", err, printed.String())
	}
	await(&out, "F-TICKS/eduroam/1.0#REALM=example.org#VISCOUNTRY=DE#")
	await(&out, "msg=request client=campus peer=127.0.0.1:")
	await(&out, "kind=access realm=example.org user=bob@example.org")
	await(&out, "server=udp port=auth fate=relayed reply=Access-Accept")
	await(&out, "tries=1")
	await(&shown, "User-Password = [hidden]")
	await(&shown, "<- relayed, Access-Request Token")
	await(&shown, "server udp auth")
	o := &outside{t: t, gw: gw}
	_, page := o.get("/")
	if !strings.Contains(page, "give the token") {
		t.Errorf("the page without the token: %q", page)
	}
	cancel()
	if err := gw.Wait(); err != nil {
		t.Error(err)
	}
	<-tapped
	lines.Close()
	key, err := os.ReadFile(p.cfg.Listen.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	keyLine := strings.Split(string(key), "\n")[1] // the first of the PEM's body
	all := out.String() + shown.String() + page
	for what, hidden := range map[string]string{"the password": password, "the client's secret": "client-Secret-of-this-test",
		"the server's secret": outsideSecret, "the token": token, "the private key": keyLine,
		"the password in hex": fmt.Sprintf("%x", password)} {
		if strings.Contains(all, hidden) {
			t.Errorf("%s was told", what)
		}
	}
}
