package config

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"radsec-gw/files"
)

// Parts of a file without mistakes; tests replace some of them, or add to them.
const (
	goodListen = "[listen]\ncertificate='s.pem'\nprivate_key='s.key'\nclient_ca='ca.pem'\n"
	goodClient = "[[client]]\nname='c'\n"
	goodServer = "[[server]]\nname='s'\naddress='127.0.0.1'\nsecret='0123456789abcdef'\n"
	goodRoute  = "[[route]]\nrealms=['*']\nservers=['s']\n"
)

// loadFile loads the file at path.
func loadFile(path string) (*Config, error) {
	return Load(path, files.NewReader().Snapshot(context.Background()))
}

// load writes text beside the files that it may name, and loads it.
func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"s.pem", "s.key", "ca.pem"} {
		write(t, filepath.Join(dir, name), "PEM")
	}
	write(t, filepath.Join(dir, "empty.secret"), "\n")
	write(t, filepath.Join(dir, "a.secret"), "from a file\r\n")
	write(t, filepath.Join(dir, "long.secret"), strings.Repeat("x", maxSecretFile+1))
	path := filepath.Join(dir, "c.toml")
	write(t, path, text)
	return loadFile(path)
}

// Files without mistakes, up to the end of a table to which lines are added.
func inClient(lines string) string { return goodListen + goodServer + goodRoute + goodClient + lines } // [[client]] is line 12
func inServer(lines string) string { return goodListen + goodClient + goodRoute + goodServer + lines } // [[server]] is line 10
func inRoute(lines string) string  { return goodListen + goodClient + goodServer + lines }             // lines begin at line 11, without [[route]]
func inListen(lines string) string { return goodClient + goodServer + goodRoute + goodListen + lines } // lines begin at line 14

// mistaken is a bad file, and the mistakes that it must give, as "line: key: start of
// the text".
type mistaken struct {
	name, text string
	want       []string
}

// wantMistakes loads each of the files.
func wantMistakes(t *testing.T, list []mistaken) {
	t.Helper()
	for _, x := range list {
		t.Run(x.name, func(t *testing.T) {
			_, err := load(t, x.text)
			ms, ok := err.(Mistakes)
			if !ok {
				t.Fatalf("expected mistakes, got %v", err)
			}
			for i, m := range ms {
				got := fmt.Sprintf("%d: ", m.Line)
				if m.Key != "" {
					got += m.Key + ": "
				}
				got += m.Text
				if i >= len(x.want) || !strings.HasPrefix(got, x.want[i]) {
					t.Errorf("mistake %d is\n     %s\nwant %q", i, got, x.want)
				}
			}
			if len(ms) < len(x.want) {
				t.Errorf("expected the mistakes %q, got only:\n%v", x.want, ms)
			}
		})
	}
}

// There is one bad file for each message: here for the file as a whole, and for each table
// in the test file of that table.
func TestMistakes(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"not TOML", "[listen]\naddress = [\n", []string{"2: not TOML: unexpected EOF"}},
		{"secret without quotes", "[[client]]\nsecret=tiger\n", []string{"2: not TOML: expected a secret in quotes"}},
		{"key twice", "[log]\nlevel='info'\nlevel='info'\n", []string{"3: not TOML: Key 'log.level' has already been defined"}},
		{"nothing", "", []string{
			"0: listen.certificate: missing: expected the path", "0: listen.private_key: missing: ", "0: listen.client_ca: missing: ",
			"0: client: missing: expected at least one [[client]]", "0: server: missing: ", "0: route: missing: "}},
		{"unknown table", inListen("[clients]\n"), []string{`14: clients: unknown key; expected in the file: include, listen, listener, certificate, client, server, route, rule, routing, dynamic_authorization, spool, cluster, metrics, log, tap (did you mean "client"?)`}},
		{"unknown key", inListen("adress=[]\n"), []string{"14: listen.adress: unknown key; expected in [listen]: address, "}},
		{"unknown key in an array of tables", inClient("\nnetwork=['10.0.0.0/8']\n"), []string{"15: client[0].network: unknown key; expected in [client]: name, networks"}},
		{"table for array", goodListen + "[client]\nname='c'\n" + goodServer + goodRoute, []string{"5: client: expected tables [[client]] with doubled brackets, got a table"}},
		{"array for table", inListen("[[log]]\n"), []string{"14: log: expected one table [log], got an array"}},
		{"array of something", goodListen + goodServer + goodRoute + "[log]\n[routing]\n", []string{"0: client: missing"}},
		{"elements no tables", "client=[\n1,\n{name='c'}]\n" + goodListen + goodServer + goodRoute, []string{"2: client[0]: expected a table [[client]], got the integer 1"}},
		{"all at once, by line", inClient("max_connections=-1\n[log]\nlevel=1\n[[server]]\nname='s'\n"), []string{
			"14: client[0].max_connections: ", "16: log.level: ", "17: server[1].address: ", "17: server[1].secret: ", "18: server[1].name: "}},
	})
}

// A file that does not exist is a mistake, which names it.
func TestNoFile(t *testing.T) {
	_, err := loadFile("/nowhere/c.toml")
	if _, ok := err.(Mistakes); !ok || !strings.Contains(err.Error(), "there is no /nowhere/c.toml") {
		t.Errorf("expected a mistake that names the file, got %v", err)
	}
}

var valuesSum = sha256.Sum256([]byte("x"))

// valuesFile has values of many forms.
var valuesFile = goodListen + `
address = ["127.0.0.1:0", "[::1]:2083"]
min_tls = "1.3"
cipher_suites = ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]
idle_timeout = "0s"
[[client]]
name = "one"
networks = ["10.0.0.0/8", "::1"]
fingerprints = ["` + fmt.Sprintf("%x", valuesSum) + `", "SHA256: ` + fmt.Sprintf("% X", valuesSum) + `"]
san_dns = ["*.Campus.example", "ap1."]
secret_env = "CONFIG_TEST_SECRET"
max_connections = 0
require_eap_message_authenticator = false
[[client]]
name = "two"
secret_file = "a.secret"
` + goodServer + `coa_port = 0
retransmit_max = "0s"
retransmit_count = 0
resolve_interval = "0s"
failing_after = 7
[[server]]
name = "pool@dc1"
address = "radius.internal"
secret = "0123456789abcdef"
expand = true
` + goodRoute + "balance = 'sticky'\npatience = '0s'\n[metrics]\naddress = ''\n[log]\nlevel='debug'\n"

// Values are read with the types of their fields, and an explicit zero is not replaced by a
// default.
func TestValues(t *testing.T) {
	t.Setenv("CONFIG_TEST_SECRET", "from the environment")
	c, err := load(t, valuesFile)
	if err != nil {
		t.Fatal(err)
	}
	one := c.Clients[0]
	for _, x := range []struct {
		name      string
		got, want any
	}{
		{"listen.address", c.Listen.Address, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("[::1]:2083")}},
		{"listen.min_tls", c.Listen.MinTLS, uint16(tls.VersionTLS13)},
		{"listen.cipher_suites", c.Listen.CipherSuites, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}},
		{"listen.idle_timeout", c.Listen.IdleTimeout, time.Duration(0)},
		{"listen.packet_timeout", c.Listen.PacketTimeout, 30 * time.Second},
		{"client[0].networks", one.Networks, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}},
		{"client[0].fingerprints", one.Fingerprints, [][32]byte{valuesSum, valuesSum}},
		{"client[0].san_dns", one.SANDNS, []string{"*.campus.example", "ap1"}},
		{"client[0].secret", string(one.Secret.Bytes()), "from the environment"},
		{"client[0].max_connections", one.MaxConnections, 0},
		{"client[0].require_eap_message_authenticator", one.RequireEAPMessageAuthenticator, false},
		{"client[1].secret", string(c.Clients[1].Secret.Bytes()), "from a file"},
		{"client[1].max_connections", c.Clients[1].MaxConnections, 100},
		{"server[0].coa_port", c.Servers[0].CoAPort, uint16(0)},
		{"server[0].retransmit_max", c.Servers[0].RetransmitMax, time.Duration(0)},
		{"server[0].retransmit_count", c.Servers[0].RetransmitCount, 0},
		{"server[0].resolve_interval", c.Servers[0].ResolveInterval, time.Duration(0)},
		{"server[0].failing_after", c.Servers[0].FailingAfter, 7},
		{"server[0].expand", c.Servers[0].Expand, false},
		{"server[1].resolve_interval", c.Servers[1].ResolveInterval, 30 * time.Second},
		{"server[1].failing_after", c.Servers[1].FailingAfter, 5},
		{"server[1].expand", c.Servers[1].Expand, true},
		{"route[0].balance", c.Routes[0].Balance, BalanceSticky},
		{"route[0].patience", c.Routes[0].Patience, time.Duration(0)},
		{"metrics.address", c.Metrics.Address, ""},
		{"log.level", c.Log.Level, slog.LevelDebug},
	} {
		if !reflect.DeepEqual(x.got, x.want) {
			t.Errorf("%s is %v, expected %v", x.name, x.got, x.want)
		}
	}
}

// For any input, the result is a configuration as its types document it, or mistakes that
// have a place.
func FuzzLoad(f *testing.F) {
	f.Add(goodListen + goodClient + goodServer + goodRoute)
	f.Add("[listen]\nclient_auth='none'\naddress=['[::1%eth0]:1']\n[[client]]\nfingerprints=['']\nnetworks=['::/0']\n")
	f.Add("client=[{name='x'}]\nroute=[{realms=['~(', '*.', '.'], servers=[[]]}]\n")
	f.Add("a = [[{b = [{c.d = [[]]}]}]]\n[[route]]\nrealms = \"\"\"[[[{{{\"\"\"\"\"\n")
	f.Add("[server]\n[[a.b]]\n\"\" = '''\n'''\n")
	f.Add(goodListen + goodClient + goodServer + goodRoute + "[cluster]\nnats=['nats://me:secret@[::1]:4222', 'tls://x']\nprefix='a.b'\n[spool]\nstore='jetstream'\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse(filepath.Join(dir, "c.toml"), text, files.NewReader().Snapshot(t.Context()))
		if err == nil {
			c.Warnings()
			if len(c.Clients) == 0 || len(c.Servers) == 0 || len(c.Routes) == 0 || len(c.Listen.Address) == 0 {
				t.Fatalf("expected a client, a server, a route and an address, got %+v", c)
			}
			return
		}
		ms, ok := err.(Mistakes)
		if !ok || len(ms) == 0 {
			t.Fatalf("expected mistakes, got %v", err)
		}
		for _, m := range ms {
			if m.Line < 0 || m.Line > strings.Count(text, "\n")+1 || m.Text == "" {
				t.Fatalf("expected a mistake with a place and a text, got %+v", m)
			}
		}
	})
}

// Beside mistakes Load returns what it could read, so that the caller can look for mistakes
// in the files that it names: elements of a list keep their indices.
func TestLoadReturnsWhatItCouldRead(t *testing.T) {
	c, err := load(t, goodListen+"crl=['nofile', 3, 's.pem']\nmax_handshakes=0\n"+goodClient+goodServer+"[[route]]\nrealms=['x', 1, '*']\nservers=['s']\n")
	ms, ok := err.(Mistakes)
	if !ok || len(ms) != 4 {
		t.Fatalf("expected four mistakes, got %v", err)
	}
	if c == nil || len(c.Clients) != 1 || len(c.Servers) != 1 || filepath.Base(c.Listen.Certificate) != "s.pem" {
		t.Fatalf("expected a client, a server and the certificate's name beside the mistakes, got %+v", c)
	}
	if l := c.Listen.CRL; len(l) != 3 || l[0] != "" || l[1] != "" || filepath.Base(l[2]) != "s.pem" {
		t.Errorf("expected the third list, and \"\" for the others, got %q", l)
	}
	if r := c.Routes[0].Realms; r != nil {
		t.Errorf("expected no realms when one of them is not a string, got %q", r)
	}
	if !ms.Has("listen.crl[0]") || ms.Has("listen.crl[2]") {
		t.Errorf("expected a mistake at listen.crl[0] and none at listen.crl[2], got\n%v", ms)
	}
	if c, err := load(t, "["); c != nil || err == nil {
		t.Errorf("expected nothing beside the mistake that a file is not TOML, got %+v", c)
	}
}
