//go:build linux

package world

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"layeh.com/radius"

	"radsec-gw/bench/process"
)

// clientsConf is FreeRADIUS's clients.conf: one client for the gateway's health checks, and one
// for each RadSec client, each with a secret and a virtual server of its own, which says
// where a request came from.
const clientsConf = `
client gateway { ipaddr = 127.0.0.1
                 secret = secret-of-the-gateway }
`

const clientConf = `
client %[1]s {
        ipaddr = %[2]s
        secret = %[3]s
        virtual_server = %[1]s
}
server %[1]s {
        authorize {
                update control {
                        &Cleartext-Password := "hello"
                }
                update reply {
                        &Reply-Message := "%[1]s saw %%{Packet-Src-IP-Address} as %%{Client-Shortname}, user %%{User-Name}"
                        &Message-Authenticator := 0x00
                }
                pap
        }
        authenticate {
                Auth-Type PAP {
                        pap
                }
        }
        post-auth {
                Post-Auth-Type REJECT {
                        update reply {
                                &Message-Authenticator := 0x00
                        }
                }
        }
}
`

// three are RadSec clients, which the gateway knows by the address that they connect from, and
// FreeRADIUS by the one that their requests are sent from.
var three = []struct{ name, from, source, secret string }{
	{"building-a", "127.0.9.1", "127.0.1.1", "secret-of-building-a"},
	{"building-b", "127.0.9.2", "127.0.1.2", "secret-of-building-b"},
	{"guests", "127.0.9.3", "127.0.1.3", "secret-of-guests"},
}

// Debian's FreeRADIUS, whose clients.conf alone is another, tells three RadSec clients apart
// by their address: each has a secret and a virtual server of its own.
// Rules: ID6
func TestFreeRADIUSTellsClientsApart(t *testing.T) {
	w := newWorld(t)
	conf := clientsConf
	clients := ""
	for _, c := range three {
		conf += fmt.Sprintf(clientConf, c.name, c.source, c.secret)
		clients += fmt.Sprintf("[[client]]\nname = %q\nnetworks = [%q]\nsource = %q\nserver_secret = %q\n\n", c.name, c.from, c.source, c.secret)
	}
	server := w.freeradius(t, conf)
	w.start(setup{clients: clients, only: true, rest: `
[[server]]
name = "freeradius"
address = "127.0.0.1"
coa_port = 0
secret = "secret-of-the-gateway"
require_message_authenticator = true
` + route("*", to("freeradius"))})
	for _, c := range three {
		e := w.dialFrom(c.from).login("bob")
		<-e.done
		if code, text := e.code, e.text; code != radius.CodeAccessAccept || text != fmt.Sprintf("%[1]s saw %[2]s as %[1]s, user bob", c.name, c.source) {
			t.Errorf("%s got %v %q, expected an Access-Accept of its own virtual server, which saw %s", c.name, code, text, c.source)
		}
		if !server.Output().Await(patience, func(text string) bool {
			return process.CountLines(text, "Received Access-Request", "from "+c.source+":") > 0
		}) {
			t.Errorf("FreeRADIUS's log has no request from %s; last of it:\n%s", c.source, process.LastLines(server.Printed(), 30))
		}
		wrong := w.dialFrom(c.from).send(message{user: "bob", password: "wrong"})
		if <-wrong.done; wrong.code != radius.CodeAccessReject {
			t.Errorf("%s with a wrong password got %v, expected an Access-Reject", c.name, wrong.code)
		}
	}
}

// freeradius runs Debian's FreeRADIUS beside the gateway, with another clients.conf.
func (w *world) freeradius(t *testing.T, clients string) *process.Process {
	t.Helper()
	const debian = "/etc/freeradius/3.0"
	dir := filepath.Join(t.TempDir(), "raddb")
	for _, command := range [][]string{{"cp", "-a", debian, dir}, {"chmod", "-R", "go+rX", filepath.Dir(filepath.Dir(dir))}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v: %s", command, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "clients.conf"), []byte(clients), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("freeradius", "-d", dir, "-f", "-xx", "-l", "stdout")
	var p *process.Process
	var err error
	w.gateway.do(func() { p, err = process.Start(cmd) })
	w.must(err)
	t.Cleanup(p.Kill)
	if err := p.Await("Ready to process requests", patience); err != nil {
		t.Fatalf("FreeRADIUS does not start: %v; it printed:\n%s", err, process.LastLines(p.Printed(), 30))
	}
	return p
}
