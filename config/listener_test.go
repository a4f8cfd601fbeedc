package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// inListener is a file without mistakes, up to the end of a [[listener]] whose lines begin at
// line 17.
func inListener(lines string) string {
	return inListen("[[listener]]\nname='wba'\naddress=['127.0.0.1:2084']\n" + lines)
}

// Mistakes of [[listener]] and [[certificate]] have their place.
// Rules: TR5, TR6
func TestMistakesOfListener(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"no name", inListen("[[listener]]\naddress=['127.0.0.1:2084']\n"), []string{"14: listener[0].name: missing"}},
		{"no address", inListen("[[listener]]\nname='wba'\n"), []string{"14: listener[0].address: missing: expected where it listens"}},
		{"name of [listen]", inListen("[[listener]]\nname='listen'\naddress=['127.0.0.1:2084']\n"), []string{`15: listener[0].name: "listen" means [listen]`}},
		{"name twice", inListener("[[listener]]\nname='wba'\naddress=['127.0.0.1:2085']\n"), []string{`18: listener[1].name: "wba" is already used on line 15`}},
		{"address of [listen]", inListen("[[listener]]\nname='wba'\naddress=['127.0.0.1:2084', '127.0.0.1:2083']\n"), []string{`16: listener[0].address[1]: 127.0.0.1:2083 is where listen.address[0] (line 10) listens`}},
		{"address of another", inListener("[[listener]]\nname='b'\naddress=['0.0.0.0:2084']\n"), []string{`19: listener[1].address[0]: 0.0.0.0:2084 is where listener[0].address[0] (line 16) listens`}},
		{"address of metrics", inListener("[metrics]\naddress='127.0.0.1:2084'\n"), []string{`18: metrics.address: "127.0.0.1:2084" is where listener[0].address[0] (line 16) listens`}},
		{"certificate without key", inListener("certificate='s.pem'\n"), []string{"14: listener[0].private_key: missing"}},
		{"key without certificate", inListener("private_key='s.key'\n"), []string{"14: listener[0].certificate: missing"}},
		{"key of the gateway", inListener("drain_timeout='1s'\n"), []string{"17: listener[0].drain_timeout: unknown key; expected in [listener]: name, transport, address"}},
		{"no such client", inListener("clients=['c', 'd']\n"), []string{`17: listener[0].clients[1]: expected the name of a [[client]], got "d"`}},
		{"no such client in [listen]", inListen("clients=['d']\n[[listener]]\nname='wba'\naddress=['127.0.0.1:2084']\n"), []string{`14: listen.clients[0]: expected the name of a [[client]], got "d"`}},
		{"lists without certificates", inListener("client_auth='none'\ncrl=['ca.pem']\n"), []string{`18: listener[0].crl: client_auth is "none"`}},
		{"no such transport", inListener("transport='udp'\n"), []string{`17: listener[0].transport: expected "tls" or "dtls", got "udp"`}},
		{"no such transport of a client", inClient("transports=['udp']\n"), []string{`14: client[0].transports[0]: expected "tls" or "dtls", got "udp"`}},
		{"keys of TLS", inListener("transport='dtls'\nmin_tls='1.3'\nproxy_protocol=['10.0.0.0/8']\n"), []string{"18: listener[0].min_tls: has no meaning with transport = \"dtls\"", "19: listener[0].proxy_protocol: has no meaning"}},
		{"port of dynamic_authorization", inListener("transport='dtls'\n[dynamic_authorization]\naddress=['127.0.0.1:2084']\n"), []string{"19: dynamic_authorization.address[0]: 127.0.0.1:2084 is where listener[0].address[0] (line 16) listens for DTLS"}},
		{"certificate alone", inListen("[[certificate]]\ncertificate='s.pem'\n"), []string{"14: certificate[0].private_key: missing"}},
		{"no such listener", inListen("[[certificate]]\ncertificate='s.pem'\nprivate_key='s.key'\nlisteners=['listen', 'wbo']\n"), []string{`17: certificate[0].listeners[1]: expected "listen" or the name of a [[listener]], got "wbo"`}},
		{"no host name", inListen("[[certificate]]\ncertificate='s.pem'\nprivate_key='s.key'\nnames=['a:2083']\n"), []string{`17: certificate[0].names[0]: expected a host name`}},
	})
}

// What a listener does not give is as in [listen]; what it gives replaces that, arrays too.
// Rules: TR5
func TestListenerIsLikeListen(t *testing.T) {
	c, err := load(t, goodClient+goodServer+goodRoute+goodListen+`
intermediates = ["ca.pem"]
proxy_protocol = ["10.0.0.0/8"]
cipher_suites = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
clients = ["c"]
idle_timeout = "5m"
max_connections = 7
min_tls = "1.3"
[[listener]]
name = "same"
address = ["127.0.0.1:2084"]
[[listener]]
name = "other"
address = ["127.0.0.1:2085"]
certificate = "s.pem"
private_key = "s.key"
client_auth = "optional"
intermediates = []
proxy_protocol = []
cipher_suites = []
clients = []
idle_timeout = "2m"
max_connections = 3
min_tls = "1.2"
`)
	if err != nil {
		t.Fatal(err)
	}
	same, other := c.Listeners[0].Listen, c.Listeners[1].Listen
	if same.IdleTimeout != 5*time.Minute || same.MaxConnections != 7 || len(same.Intermediates) != 1 || len(same.ProxyProtocol) != 1 || same.ClientCA == "" ||
		!slices.Equal(same.Clients, []string{"c"}) || same.MinTLS != c.Listen.MinTLS || len(same.CipherSuites) != 1 {
		t.Errorf("expected the keys of [listen], got %+v", same)
	}
	if other.IdleTimeout != 2*time.Minute || other.MaxConnections != 3 || len(other.Intermediates)+len(other.ProxyProtocol)+len(other.CipherSuites)+len(other.Clients) != 0 ||
		other.ClientAuth != AuthOptional || other.MinTLS == c.Listen.MinTLS {
		t.Errorf("expected the listener's own keys, got %+v", other)
	}
	if n := c.MaxConnections(); n != 17 {
		t.Errorf("%d connections in all, expected 17", n)
	}
	fronts := c.Fronts()
	for i, want := range []string{"listen.certificate", "listen.certificate", "listener[1].certificate"} {
		if got := fronts[i].Key("certificate"); got != want {
			t.Errorf("the certificate of %s is that of %s, expected %s", fronts[i].Name, got, want)
		}
	}
}

// A further certificate is presented where it says, or by all that give none of their own.
// Rules: TR6
func TestPresents(t *testing.T) {
	const pair = "certificate='s.pem'\nprivate_key='s.key'\n"
	c, err := load(t, inListen("[[listener]]\nname='same'\naddress=['127.0.0.1:2084']\n[[listener]]\nname='other'\naddress=['127.0.0.1:2085']\n"+pair+
		"[[certificate]]\n"+pair+"[[certificate]]\n"+pair+"listeners=['listen', 'other']\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"11", "10", "01"} // of listen, same, other
	for i, f := range c.Fronts() {
		got := ""
		for k := range c.Certificates {
			got += map[bool]string{true: "1", false: "0"}[f.Presents(&c.Certificates[k])]
		}
		if got != want[i] {
			t.Errorf("%s presents %s, expected %s", f.Name, got, want[i])
		}
	}
}

// Warnings name the table that gives what they are about, and clients that nobody accepts.
// Rules: TR5
func TestWarningsOfListeners(t *testing.T) {
	client := func(name string) string { return strings.ReplaceAll(goodClient, "'c'", "'"+name+"'") }
	c, err := load(t, client("a")+client("b")+client("none")+goodServer+goodRoute+goodListen+`
clients = ["a"]
idle_timeout = "5s"
[[listener]]
name = "same"
address = ["127.0.0.1:2084"]
[[listener]]
name = "other"
address = ["127.0.0.1:2085"]
clients = ["b"]
idle_timeout = "4s"
client_auth = "none"
client_ca = "ca.pem"
`)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(c.Warnings(), "\n")
	for _, x := range []struct {
		text string
		want int
	}{
		{"listen.idle_timeout: 5s is below", 1},
		{"listener[0].idle_timeout", 0},
		{"listener[1].idle_timeout: 4s is below", 1},
		{`listener[1].client_auth: "none" lets clients in`, 1},
		{`client "none" never matches: expected a listener with transport`, 1},
		{`client "a" has no condition`, 0}, // it is the one that [listen] names
		{`client "b" has no condition: everybody matches`, 1},
	} {
		if n := strings.Count(text, x.text); n != x.want {
			t.Errorf("%d warnings with %q, expected %d, in:\n%s", n, x.text, x.want, text)
		}
	}
}

// A port is free for DTLS where TLS has it. A client may use a transport only if it says so, and
// its secret follows from the transport unless it is given.
// Rules: DT1
func TestTransports(t *testing.T) {
	client := func(name, lines string) string { return strings.ReplaceAll(goodClient, "'c'", "'"+name+"'") + lines }
	c, err := load(t, client("tls", "")+client("dtls", "transports=['dtls']\n")+client("both", "transports=['tls','dtls']\nsecret='radsec'\n")+goodServer+goodRoute+goodListen+
		"address=['127.0.0.1:2083']\n[[listener]]\nname='udp'\ntransport='dtls'\naddress=['127.0.0.1:2083']\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"10", "01", "11"} // at [listen], at the listener
	secrets := []string{"radsec", "radius/dtls", "radsec"}
	for i := range c.Clients {
		got := ""
		for _, f := range c.Fronts() {
			got += map[bool]string{true: "1", false: "0"}[f.Accepts(&c.Clients[i])]
		}
		if got != want[i] {
			t.Errorf("client %s is accepted %s, expected %s", c.Clients[i].Name, got, want[i])
		}
		if over := string(c.SecretOver(i, c.Clients[i].Transports[0]).Bytes()); over != secrets[i] {
			t.Errorf("client %s has the secret %q over %s, expected %q", c.Clients[i].Name, over, c.Clients[i].Transports[0], secrets[i])
		}
	}
	if over := string(c.SecretOver(2, TransportDTLS).Bytes()); over != "radsec" {
		t.Errorf("the secret that is given does not hold over DTLS: %q", over)
	}
}

// A client_ca of [listen] that is not there is one mistake, at its line: no listener that takes it
// over is said to have none.
// Rules: TR5
func TestListenersShareAMistake(t *testing.T) {
	_, err := load(t, goodClient+goodServer+goodRoute+strings.ReplaceAll(goodListen, "'ca.pem'", "'none.pem'")+"\n[[listener]]\nname='other'\naddress=['127.0.0.1:2084']\n")
	var mistakes Mistakes
	if !errors.As(err, &mistakes) || len(mistakes) != 1 || !strings.Contains(err.Error(), ": listen.client_ca: ") {
		t.Errorf("got %v, expected one mistake about listen.client_ca", err)
	}
}

// The example of several federations in the documents is a configuration, with clients, a server
// and a route beside it, and nothing in it is warned of.
func TestFederationsInTheDocuments(t *testing.T) {
	text, err := os.ReadFile("../docs/connections.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "## Several federations")
	_, rest, _ = strings.Cut(rest, "```toml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the documents have no example")
	}
	dir := t.TempDir()
	for _, f := range []string{"campus", "eduroam", "openroaming"} {
		for _, name := range []string{"server.pem", "server.key", "ca.pem"} {
			write(t, filepath.Join(dir, f, name), "PEM")
		}
	}
	for i, name := range []string{"access-points", "national-proxy-1", "national-proxy-2", "openroaming"} {
		example += fmt.Sprintf("[[client]]\nname = %q\nsan_dns = [\"host%d.example\"]\n", name, i)
	}
	write(t, filepath.Join(dir, "radsec-gw.toml"), example+goodServer+goodRoute)
	c, err := loadFile(filepath.Join(dir, "radsec-gw.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if w := c.Warnings(); len(w) > 0 {
		t.Errorf("it is warned of: %q", w)
	}
}
