package gateway

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/gateway/gatewaytest"
)

// A listener lets in the clients that it names, also where another has the same CA, and each
// one's requests are its own.
// Rules: TR5
func TestListenerServesItsClientsOnly(t *testing.T) {
	f := startFederations(t, func(s string) string {
		s = strings.Replace(s, "eduroam/ca.pem", "campus/ca.pem", 1)
		return strings.Replace(s, "name = \"eduroam\"\n[[client]]", "name = \"eduroam\"\nsan_dns = [\"eduroam\"]\n[[client]]", 1)
	})
	f.good("campus")
	if c, _, err := f.dial("campus", "eduroam"); err == nil {
		c.write(rawRequest(1, 7, emptyMAC, nameOf("good@example.org"), tlv(33, []byte("good")...)))
		if c.read() != nil {
			t.Error("a client that the listener does not name is served there")
		}
	}
	f.awaitMetrics(`radsec_gw_listener_handshakes_total{listener_name="eduroam",result="unknown_client"} 1`+"\n", true)
	f.good("openroaming")
	for _, client := range []string{"campus", "openroaming"} {
		f.awaitMetrics(fmt.Sprintf("radsec_gw_requests_total{client=%q,fate=\"relayed\",kind=\"access\"} 1\n", client), true)
	}
}

// A listener that is removed answers what it was asked before it closes a connection, but no
// later than after drain_timeout.
// Rules: TR5
func TestRemovedListenerAnswersFirst(t *testing.T) {
	for _, x := range []struct {
		name, timeout string
		answers       bool
	}{{"answered", "1m", true}, {"not answered", "50ms", false}} {
		t.Run(x.name, func(t *testing.T) {
			asked, release := make(chan bool, 16), make(chan bool)
			slow := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
				if rfc2865.UserName_GetString(r.Packet) == "slow@example.org" {
					asked <- true
					<-release
				}
				gatewaytest.Accept(w, r)
			})
			f := startFederations(t, func(s string) string {
				s = regexp.MustCompile(`auth_port = \d+`).ReplaceAllString(s, fmt.Sprintf("auth_port = %d", slow))
				return strings.Replace(s, "[listen]\n", fmt.Sprintf("[listen]\ndrain_timeout = %q\n", x.timeout), 1)
			})
			client := f.good("eduroam")
			q := rawRequest(1, 7, emptyMAC, nameOf("slow@example.org"))
			client.write(q)
			<-asked
			text := string(need(os.ReadFile(f.file)))
			a, b := strings.Index(text, "[[listener]]\nname = \"eduroam\""), strings.Index(text, "[[listener]]\nname = \"openroaming\"")
			f.replace(text[a:b], "")
			f.good("campus") // takes longer than a connection that does not wait takes to end
			if !x.answers {
				defer close(release)
			} else {
				close(release)
				answer := client.read()
				if answer == nil {
					t.Fatal("the connection of a listener that was removed ends before its answer")
				}
				client.believe(q, answer, 2)
			}
			if b := client.read(); b != nil {
				t.Errorf("expected the end of the connection, got %x", b)
			}
			gatewaytest.Await(t, f.log, "its listener was removed from the configuration")
			f.awaitMetrics(`listener_name="eduroam"`, false)
		})
	}
}

// A revocation list counts at each listener whose CAs have signed it, whichever table names it,
// and takes no other listener down when it is out of date.
// Rules: TR4, TR5
func TestListsCountWhereTheirIssuersDo(t *testing.T) {
	f := startFederations(t, nil)
	campus, eduroam := f.good("campus"), f.good("eduroam")
	now := time.Now()
	put := func(name string, until time.Time, revoked ...*certs.Pair) {
		t.Helper()
		list := need(certstest.CRL(f.cas[name], now.Add(-time.Hour), until, revoked...))
		gatewaytest.WriteFile(t, filepath.Join(f.dir, name+".crl"), pemOf("X509 CRL", list))
	}
	block, _ := pem.Decode(need(os.ReadFile(filepath.Join(f.dir, "eduroam", "client.pem"))))
	put("campus", now.Add(time.Hour))
	put("eduroam", now.Add(time.Hour), &certs.Pair{Certificate: need(certs.ParseCertificates("", pem.EncodeToMemory(block)))[0]})
	put("openroaming", now.Add(-time.Minute))
	f.replace("[listen]\n", "[listen]\ncrl = [\"campus.crl\", \"eduroam.crl\"]\n", "[[listener]]\n", "[[listener]]\ncrl = [\"openroaming.crl\"]\n",
		"name = \"openroaming\"\n", "name = \"openroaming\"\ncrl_stale = \"refuse\"\n")
	if eduroam.read() != nil {
		t.Error("the connection of a revoked client stays open")
	}
	for at, result := range map[string]string{"eduroam": "revoked_certificate", "openroaming": "crl_stale"} {
		if _, _, err := f.dial(at, at); err == nil {
			t.Errorf("a client of %s is let in against its CA's list", at)
		}
		f.awaitMetrics(fmt.Sprintf("radsec_gw_listener_handshakes_total{listener_name=%q,result=%q} 1\n", at, result), true)
	}
	campus.good()
	f.good("campus")
	if why := f.g.notServing(); why != "" {
		t.Errorf("the gateway is not ready because a list of one listener is out of date: %s", why)
	}
}

// A [[certificate]] is presented for its names at its listeners, and without any by those that
// give no certificate of their own.
// Rules: TR6
func TestFurtherCertificatesOfListeners(t *testing.T) {
	f := startFederations(t, nil)
	for _, name := range []string{"inside", "general"} {
		pair := need(f.cas["eduroam"].Server([]string{name + ".example.org"}))
		gatewaytest.WriteFile(t, filepath.Join(f.dir, name+".pem"), pair.CertPEM())
		gatewaytest.WriteFile(t, filepath.Join(f.dir, name+".key"), need(pair.KeyPEM()))
	}
	f.replace("[[client]]\nname = \"campus\"", `[[certificate]]
certificate = "inside.pem"
private_key = "inside.key"
names = ["outside.example.org"]
listeners = ["eduroam"]
[[certificate]]
certificate = "general.pem"
private_key = "general.key"
[[client]]
name = "campus"`)
	for _, x := range []struct{ at, name, want string }{
		{"eduroam", "outside.example.org", "inside.example.org"},
		{"eduroam", "inside.example.org", "eduroam.example.org"}, // names replace those in it
		{"eduroam", "general.example.org", "eduroam.example.org"},
		{"campus", "general.example.org", "general.example.org"},
		{"campus", "outside.example.org", "campus.example.org"},
		{"openroaming", "outside.example.org", "openroaming.example.org"},
	} {
		pair := need(tls.LoadX509KeyPair(filepath.Join(f.dir, x.at, "client.pem"), filepath.Join(f.dir, x.at, "client.key")))
		c, err := tls.Dial("tcp", f.addresses[x.at], &tls.Config{ServerName: x.name, InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().PeerCertificates[0].DNSNames[0]; got != x.want {
			t.Errorf("a client that asks for %s at the listener of %s gets the certificate for %s, expected %s", x.name, x.at, got, x.want)
		}
		c.Close()
	}
}

// When a reload is done, a listener that it removed accepts nobody: another program can have its
// address.
// Rules: TR5
func TestRemovedListenerIsClosed(t *testing.T) {
	f := startFederations(t, nil)
	text := string(need(os.ReadFile(f.file)))
	a, b := strings.Index(text, "[[listener]]\nname = \"eduroam\""), strings.Index(text, "[[listener]]\nname = \"openroaming\"")
	for range 20 {
		f.replace(text[a:b], "")
		l, err := net.Listen("tcp", f.addresses["eduroam"])
		if err != nil {
			t.Fatalf("after the reload: %v", err)
		}
		l.Close()
		f.replace("[[client]]\nname = \"campus\"", text[a:b]+"[[client]]\nname = \"campus\"")
	}
	f.good("eduroam")
}
