package interop

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// nas is what a NAS sends to: a program that receives RADIUS over UDP with nasSecret and sends it to the
// gateway over TLS.
type nas struct {
	auth, acct, coa int // UDP ports of 127.0.0.1
	printed         func() string

	// What its documents or its source say that it cannot do.
	keepsMSCHAPKeys bool // passes MS-CHAP-MPPE-Keys on without hiding it again
}

// radclient sends attributes, one a line, and waits for the answer.
func (n nas) radclient(kind, attributes string) testbed.Result {
	port := map[string]int{"auth": n.auth, "acct": n.acct, "coa": n.coa, "disconnect": n.coa}[kind]
	return run(patience, attributes, "radclient", "-x", "-r", "1", "-t", "20",
		fmt.Sprintf("127.0.0.1:%d", port), kind, nasSecret)
}

// eapolTest runs one conversation; network is the body of wpa_supplicant's network block. Without keys
// eapol_test does not ask for MS-MPPE keys in the Accept.
func (n nas) eapolTest(t *testing.T, network string, keys bool) testbed.Result {
	t.Helper()
	file := filepath.Join(t.TempDir(), "eapol.conf")
	if err := os.WriteFile(file, []byte("network={\neapol_flags=0\n"+network+"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-c", file, "-a", "127.0.0.1", "-p", fmt.Sprint(n.auth), "-s", nasSecret, "-t", "20"}
	if !keys {
		args = append(args, "-n")
	}
	return run(patience, "", "eapol_test", args...)
}

// throughRadsecproxy is the bed's radsecproxy, which receives all kinds on one port. Version 1.9.2 hides
// Microsoft's send and receive keys again, and nothing else of Microsoft's.
func (b *bed) throughRadsecproxy() nas {
	return nas{auth: b.ports.nas, acct: b.ports.nas, coa: b.ports.nas, printed: b.radsecproxy.Printed, keepsMSCHAPKeys: true}
}

// radclient sends attributes, one a line, through the bed's radsecproxy.
func (b *bed) radclient(kind, attributes string) testbed.Result {
	return b.throughRadsecproxy().radclient(kind, attributes)
}

// radsecproxyConfig is a RadSec client: UDP in, TLS out.
type radsecproxyConfig struct {
	NAS, RadSec int    // UDP port, the gateway's port
	Certs       string // folder with ca.pem, client.pem and client.key
	NASSecret   string
	TLSVersion  string // as in radsecproxy.conf; "": its default
}

var radsecproxyConf = template.Must(template.New("radsecproxy.conf").Parse(`
ListenUDP 127.0.0.1:{{.NAS}}
LogLevel 4
tls default {
	CACertificateFile {{.Certs}}/ca.pem
	CertificateFile {{.Certs}}/client.pem
	CertificateKeyFile {{.Certs}}/client.key
{{- if .TLSVersion}}
	TlsVersion {{.TLSVersion}}
{{- end}}
}
client nas {
	host 127.0.0.1
	type udp
	secret {{.NASSecret}}
}
server gateway {
	host 127.0.0.1
	port {{.RadSec}}
	type tls
	secret radsec
	StatusServer on
}
realm * {
	server gateway
	accountingServer gateway
}
`))

// start runs radsecproxy in dir until it has a connection to the gateway.
func (c radsecproxyConfig) start(dir string) (*process.Process, error) {
	file := filepath.Join(dir, "radsecproxy.conf")
	if err := writeTemplate(file, radsecproxyConf, c); err != nil {
		return nil, err
	}
	p, err := start(nil, "radsecproxy", "-f", "-c", file)
	if err != nil {
		return nil, err
	}
	return p, p.Await("TLS connection to gateway", patience)
}

// freeradiusConfig is FreeRADIUS as a proxy that has the gateway as its home server over TLS. With a
// port for CoA it relays CoA and Disconnect only, because a home server has one type.
type freeradiusConfig struct {
	Auth, Acct, CoA, RadSec int    // UDP ports, the gateway's port
	Certs                   string // folder with ca.pem, client.pem and client.key
	NASSecret               string
	MinTLS, MaxTLS          string
	Dir                     string
}

// The tls section's fragment_size is the largest record that FreeRADIUS 3.2.1 accepts, in octets; a
// packet with EAP-TLS in it is longer than its default.
var freeradiusConf = template.Must(template.New("radiusd.conf").Parse(`
prefix = /usr
raddbdir = {{.Dir}}
logdir = ${raddbdir}
run_dir = ${raddbdir}
libdir = /usr/lib/freeradius
pidfile = ${run_dir}/radiusd.pid
max_requests = 1024
security { max_attributes = 200
           reject_delay = 0
           status_server = no }
proxy_requests = yes

client nas {
        ipaddr = 127.0.0.1
        secret = "{{.NASSecret}}"
}
home_server gateway {
        type = {{if .CoA}}coa{{else}}auth+acct{{end}}
        ipaddr = 127.0.0.1
        port = {{.RadSec}}
        proto = tcp
        secret = radsec
        status_check = none
        tls {
                ca_file = {{.Certs}}/ca.pem
                certificate_file = {{.Certs}}/client.pem
                private_key_file = {{.Certs}}/client.key
                tls_min_version = "{{.MinTLS}}"
                tls_max_version = "{{.MaxTLS}}"
                fragment_size = 8192
        }
}
home_server_pool gateway { type = fail-over
        {{if .CoA}}type = coa
        {{end}}home_server = gateway }
realm gateway {
{{- if not .CoA}}
        auth_pool = gateway
        acct_pool = gateway
{{- end}}
        nostrip
}
modules { }
server default {
{{- if .CoA}}
        listen { type = coa
                 ipaddr = 127.0.0.1
                 port = {{.CoA}} }
        recv-coa {
                update control { Home-Server-Pool := "gateway" }
        }
        send-coa { }
{{- else}}
        listen { type = auth
                 ipaddr = 127.0.0.1
                 port = {{.Auth}} }
        listen { type = acct
                 ipaddr = 127.0.0.1
                 port = {{.Acct}} }
        authorize {
                update control { Proxy-To-Realm := "gateway" }
        }
        preacct {
                update control { Proxy-To-Realm := "gateway" }
        }
{{- end}}
}
`))

// start runs FreeRADIUS in c.Dir until it accepts requests.
func (c freeradiusConfig) start() (*process.Process, error) {
	if err := writeTemplate(filepath.Join(c.Dir, "radiusd.conf"), freeradiusConf, c); err != nil {
		return nil, err
	}
	p, err := start(nil, "freeradius", "-d", c.Dir, "-n", "radiusd", "-f", "-l", "stdout")
	if err != nil {
		return nil, err
	}
	return p, p.Await("Ready to process requests", patience)
}

// throughFreeRADIUS starts FreeRADIUS as a RadSec client of the bed's gateway, until the test ends.
func (b *bed) throughFreeRADIUS(t *testing.T, minTLS, maxTLS string) nas {
	t.Helper()
	var p bedPorts
	if err := p.choose(); err != nil {
		t.Fatal(err)
	}
	c := freeradiusConfig{Auth: p.auth, Acct: p.acct, RadSec: b.ports.radsec, Certs: b.path("certs"),
		NASSecret: nasSecret, MinTLS: minTLS, MaxTLS: maxTLS, Dir: t.TempDir()}
	client, err := c.start()
	stopAtEnd(t, client)
	if err != nil {
		t.Fatal(err)
	}
	return nas{auth: p.auth, acct: p.acct, printed: client.Printed}
}

// stopAtEnd ends a program with the test; it may be nil.
func stopAtEnd(t *testing.T, p *process.Process) {
	if p != nil {
		t.Cleanup(func() { _ = p.Stop(patience) })
	}
}

// writeTemplate writes a configuration that may contain a secret.
func writeTemplate(file string, text *template.Template, values any) error {
	var b bytes.Buffer
	if err := text.Execute(&b, values); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o600)
}

// lines puts each of its arguments on a line of its own.
func lines(all ...string) string { return strings.Join(all, "\n") + "\n" }

// listenUDP opens a port that is closed with the test at the latest.
func listenUDP(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func portOf(conn *net.UDPConn) int { return conn.LocalAddr().(*net.UDPAddr).Port }
