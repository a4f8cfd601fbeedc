package interop

import (
	"crypto/hmac"
	"crypto/md5"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// FreeRADIUS as a RadSec client, which takes UDP from a NAS and has the gateway
// as its home server over TLS, in both versions of TLS. It passes on the
// Message-Authenticator that a NAS puts into accounting, and refuses an answer that
// has one over anything but zeros: ours has none.
// Rules: P102, P111, C5
func TestFreeRADIUSAsClient(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		t.Run(version, func(t *testing.T) {
			var p ports
			if err := p.choose(); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			config := fmt.Sprintf(freeradiusClient, dir, nasSecret, shared.ports.radsec,
				shared.path("certs/ca.pem"), shared.path("certs/client.pem"), shared.path("certs/client.key"), version, version, p.nas, p.acct)
			if err := os.WriteFile(dir+"/radiusd.conf", []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			client, err := start("freeradius as client", nil, "freeradius", "-d", dir, "-n", "radiusd", "-f", "-l", "stdout")
			if err != nil {
				t.Fatal(err)
			}
			defer client.stop(syscall.SIGTERM, patience)
			if err := client.await("Ready to process requests", patience); err != nil {
				t.Fatal(err)
			}
			for password, want := range map[string]string{userPassword: "Received Access-Accept", wrongPassword: "Received Access-Reject"} {
				r := runProgram(patience, fmt.Sprintf("User-Name = bob\nUser-Password = %q\n", password),
					"radclient", "-x", "-r", "3", "-t", "5", fmt.Sprintf("127.0.0.1:%d", p.nas), "auth", nasSecret)
				if !strings.Contains(r.output, want) {
					printed, _ := client.output.snapshot()
					t.Errorf("expected %q, got:\n%s\nthe client printed:\n%s", want, r.output, printed)
				}
			}
			for _, mac := range []string{"", "Message-Authenticator = 0x00\n"} {
				r := runProgram(patience, "User-Name = bob\nAcct-Status-Type = Start\nAcct-Session-Id = as-client\n"+mac,
					"radclient", "-x", "-r", "3", "-t", "5", fmt.Sprintf("127.0.0.1:%d", p.acct), "acct", nasSecret)
				if !strings.Contains(r.output, "Received Accounting-Response") {
					printed, _ := client.output.snapshot()
					t.Errorf("accounting with %q: expected it acknowledged, got:\n%s\nthe client printed:\n%s", mac, r.output, printed)
				}
			}
		})
	}
}

// freeradiusClient takes: folder, NAS secret, the gateway's port, CA,
// certificate, key, lowest and highest TLS version, UDP ports of authentication and
// accounting.
const freeradiusClient = `
prefix = /usr
raddbdir = %s
logdir = ${raddbdir}
run_dir = ${raddbdir}
libdir = /usr/lib/freeradius
pidfile = ${run_dir}/radiusd.pid
security { max_attributes = 200
           reject_delay = 0
           status_server = no }
proxy_requests = yes

client nas {
        ipaddr = 127.0.0.1
        secret = %q
}
home_server gateway {
        type = auth+acct
        ipaddr = 127.0.0.1
        port = %d
        proto = tcp
        secret = radsec
        status_check = none
        tls {
                ca_file = %s
                certificate_file = %s
                private_key_file = %s
                tls_min_version = "%s"
                tls_max_version = "%s"
        }
}
home_server_pool gateway { type = fail-over
        home_server = gateway }
realm gateway {
        auth_pool = gateway
        acct_pool = gateway
        nostrip
}
modules { }
server default {
        listen { type = auth
                 ipaddr = 127.0.0.1
                 port = %d }
        listen { type = acct
                 ipaddr = 127.0.0.1
                 port = %d }
        authorize {
                update control { Proxy-To-Realm := "gateway" }
        }
        preacct {
                update control { Proxy-To-Realm := "gateway" }
        }
}
`

// radsecproxy connects with either version when it is held to it.
// Rules: P102
func TestRadsecproxyVersions(t *testing.T) {
	for _, version := range []string{"TLS1_2", "TLS1_3"} {
		t.Run(version, func(t *testing.T) {
			var p ports
			if err := p.choose(); err != nil {
				t.Fatal(err)
			}
			config := fmt.Sprintf("ListenUDP 127.0.0.1:%d\nLogLevel 3\n"+
				"tls default {\n\tCACertificateFile %s\n\tCertificateFile %s\n\tCertificateKeyFile %s\n\tTlsVersion %s:%s\n}\n"+
				"client nas {\n\thost 127.0.0.1\n\ttype udp\n\tsecret %s\n}\n"+
				"server gateway {\n\thost 127.0.0.1\n\tport %d\n\ttype tls\n\tsecret radsec\n}\nrealm * {\n\tserver gateway\n}\n",
				p.nas, shared.path("certs/ca.pem"), shared.path("certs/client.pem"), shared.path("certs/client.key"), version, version, nasSecret, shared.ports.radsec)
			file := t.TempDir() + "/radsecproxy.conf"
			if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			proxy, err := start("radsecproxy", nil, "radsecproxy", "-f", "-c", file)
			if err != nil {
				t.Fatal(err)
			}
			defer proxy.stop(syscall.SIGTERM, patience)
			if err := proxy.await("TLS connection to gateway", patience); err != nil {
				t.Fatal(err)
			}
			r := runProgram(patience, "User-Name = bob\nUser-Password = hello\n",
				"radclient", "-x", "-r", "3", "-t", "5", fmt.Sprintf("127.0.0.1:%d", p.nas), "auth", nasSecret)
			expect(t, r, 0, "Received Access-Accept")
		})
	}
}

// openssl s_client connects with either version, sends a Status-Server and gets
// its answer; with a version, or without a certificate, that is not allowed, it
// gets none.
// Rules: P101, P102, P103
func TestOpenSSLAsClient(t *testing.T) {
	certificate := []string{"-cert", shared.path("certs/client.pem"), "-key", shared.path("certs/client.key")}
	for _, c := range []struct {
		name string
		args []string
		want byte // the answer's Code; 0: no answer
	}{
		{"TLS 1.2", append([]string{"-tls1_2"}, certificate...), 2},
		{"TLS 1.3", append([]string{"-tls1_3"}, certificate...), 2},
		{"TLS 1.1", append([]string{"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}, certificate...), 0},
		{"TLS 1.2 without certificate", []string{"-tls1_2"}, 0},
		{"TLS 1.3 without certificate", []string{"-tls1_3"}, 0},
		{"static RSA", append([]string{"-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"}, certificate...), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"s_client", "-quiet", "-no_ign_eof", "-connect", fmt.Sprintf("127.0.0.1:%d", shared.ports.radsec),
				"-CAfile", shared.path("certs/ca.pem"), "-verify_return_error"}, c.args...)
			cmd := exec.Command("openssl", args...)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out := newOutput() // standard error apart: the answer is octets
			cmd.Stdout = out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				cmd.Wait()
				close(ended)
			}()
			in.Write(statusServer())
			deadline := time.After(patience)
			for got := ""; len(got) < 20; {
				var more <-chan struct{}
				got, more = out.snapshot()
				if len(got) >= 20 {
					if c.want == 0 || got[0] != c.want || got[1] != 77 {
						t.Errorf("the answer begins %x, want code %d and identifier 77", got[:20], c.want)
					}
					break
				}
				select {
				case <-more:
					continue
				case <-ended:
					if c.want != 0 {
						t.Errorf("openssl ended without an answer: %q", got)
					}
				case <-deadline:
					t.Errorf("no answer and no end within %v: %q", patience, got)
				}
				break
			}
			in.Close()
			cmd.Process.Kill()
			<-ended
		})
	}
}

// statusServer is one as octets (RFC 5997 §3), signed under "radsec".
func statusServer() []byte {
	b := append([]byte{12, 77, 0, 38}, []byte("a random of sixteen!")[:16]...)
	b = append(append(b, 80, 18), make([]byte, 16)...)
	mac := hmac.New(md5.New, []byte("radsec"))
	mac.Write(b)
	copy(b[22:], mac.Sum(nil))
	return b
}
