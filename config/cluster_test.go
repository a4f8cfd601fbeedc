package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// inCluster is a file without mistakes up to the end of [cluster]; lines begin at line 15.
func inCluster(lines string) string {
	return goodListen + goodClient + goodServer + goodRoute + "[cluster]\n" + lines
}

// urls returns n different URLs as TOML.
func urls(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("'nats://n%d:4222'", i))
	}
	return "nats=[" + strings.Join(list, ",") + "]\n"
}

// Rules: GW1, GW6
func TestMistakesOfCluster(t *testing.T) {
	const badURL = `15: cluster.nats[0]: expected a URL such as "nats://127.0.0.1:4222" or "tls://nats.example.org:4222", got one `
	const nats = "nats=['nats://127.0.0.1:4222']\n"
	wantMistakes(t, []mistaken{
		{"no servers", inCluster("prefix='x'\n"), []string{`14: cluster.nats: missing: expected the URLs of NATS servers`}},
		{"an empty array", inCluster("nats=[]\n"), []string{`15: cluster.nats: expected the URL of a NATS server, got an empty array`}},
		{"a string", inCluster("nats='nats://x'\n"), []string{`15: cluster.nats: expected an array of strings, got "nats://x": write ["nats://x"]`}},
		{"many servers", inCluster(urls(17)), []string{`15: cluster.nats: expected at most 16 URLs, got 17`}},
		{"one twice", inCluster("nats=['nats://a','nats://a']\n"), []string{`15: cluster.nats[1]: the URL is listed twice`}},
		{"another scheme", inCluster("nats=['http://x:4222']\n"), []string{badURL + `that begins with neither`}},
		{"no scheme", inCluster("nats=['localhost:4222']\n"), []string{badURL + `that begins with neither`}},
		{"IPv6 without brackets", inCluster("nats=['nats://::1:4222']\n"), []string{badURL + `with an IPv6 address that is not in brackets`}},
		{"no host", inCluster("nats=['nats://:4222']\n"), []string{badURL + `without a host`}},
		{"a path", inCluster("nats=['nats://x:4222/y']\n"), []string{badURL + `with something after the port`}},
		{"a query", inCluster("nats=['nats://x?y']\n"), []string{badURL + `with something after the port`}},
		{"a port of zero", inCluster("nats=['nats://x:0']\n"), []string{badURL + `whose port is not from 1 to 65535`}},
		{"a large port", inCluster("nats=['nats://x:65536']\n"), []string{badURL + `whose port is not from 1 to 65535`}},
		{"an empty prefix", inCluster(nats + "prefix=''\n"), []string{`16: cluster.prefix: expected 1 to 64 letters, digits, "-" and "_", with dots between them, got ""`}},
		{"a prefix with a wildcard", inCluster(nats + "prefix='a.*'\n"), []string{`16: cluster.prefix: expected 1 to 64 letters`}},
		{"a prefix that ends with a dot", inCluster(nats + "prefix='a.'\n"), []string{`16: cluster.prefix: expected 1 to 64 letters`}},
		{"a prefix with two dots", inCluster(nats + "prefix='a..b'\n"), []string{`16: cluster.prefix: expected 1 to 64 letters`}},
		{"a prefix with a line feed", inCluster(nats + "prefix=\"a\\n\"\n"), []string{`16: cluster.prefix: expected 1 to 64 letters`}},
		{"a long prefix", inCluster(nats + "prefix='" + strings.Repeat("a", 65) + "'\n"), []string{`16: cluster.prefix: expected 1 to 64 letters`}},
		{"missing files", inCluster(nats + "credentials_file='no.creds'\nca='no.pem'\ncertificate='no.crt'\nprivate_key='no.key'\n"), []string{
			`16: cluster.credentials_file: expected a readable file, got "no.creds": there is no `, `17: cluster.ca: expected a readable file`, `18: cluster.certificate: expected a readable file`, `19: cluster.private_key: expected a readable file`}},
		{"a certificate without key", inCluster(nats + "certificate='s.pem'\n"), []string{`14: cluster.private_key: missing: expected the path of a PEM file, since certificate is given`}},
		{"a key without certificate", inCluster(nats + "private_key='s.key'\n"), []string{`14: cluster.certificate: missing: expected the path of a PEM file, since private_key is given`}},
		{"unknown key", inCluster(nats + "servers=1\n"), []string{`16: cluster.servers: unknown key; expected in [cluster]: nats, credentials_file, prefix, ca, certificate, private_key`}},
	})
}

// A mistake in a URL does not show its password.
//
// Rules: GW6
func TestMistakesOfClusterHidePasswords(t *testing.T) {
	for _, bad := range []string{"http://me:tiger@x", "nats://me:tiger@x:99999", "nats://me:tiger@x/y", "nats://tiger@", "nats://me:tiger%zz@x", "nats://me:tiger@x:port"} {
		if _, err := load(t, inCluster("nats=['"+bad+"']\n")); err == nil || strings.Contains(err.Error(), "tiger") {
			t.Errorf("%s: expected a mistake without the password, got %v", bad, err)
		}
	}
	twice := "'nats://me:tiger@x'"
	if _, err := load(t, inCluster("nats=["+twice+","+twice+"]\n")); err == nil || strings.Contains(err.Error(), "tiger") {
		t.Errorf("expected a mistake without the password, got %v", err)
	}
}

// Nothing is shared by default, and each key is read.
//
// Rules: GW1, GW6
func TestCluster(t *testing.T) {
	c, err := load(t, goodListen+goodClient+goodServer+goodRoute)
	if err != nil {
		t.Fatal(err)
	}
	if c.UsesCluster() || !reflect.DeepEqual(c.Cluster, defaultCluster()) || c.Spool.Store != SpoolStoreFile {
		t.Errorf("expected that nothing is shared by default, got %+v", c.Cluster)
	}
	c, err = load(t, inCluster("nats=['nats://[::1]', 'tls://me:tiger@nats.example.org:4223', 'nats://token@10.0.0.1/']\ncredentials_file=''\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Cluster{NATS: []string{"nats://[::1]", "tls://me:tiger@nats.example.org:4223", "nats://token@10.0.0.1/"}, Prefix: "radsec-gw"}
	if !c.UsesCluster() || !reflect.DeepEqual(c.Cluster, want) {
		t.Errorf("got %+v, expected %+v", c.Cluster, want)
	}
	if got := fmt.Sprint(c.Cluster.Servers()); got != "[nats://[::1] tls://nats.example.org:4223 nats://10.0.0.1/]" {
		t.Errorf("the servers are shown as %s, expected them without secrets", got)
	}
	if files := c.SecretFiles(); !strings.Contains(fmt.Sprint(files), "{cluster.nats[1] ") {
		t.Errorf("expected that the file counts as one with a secret, got %v", files)
	}
	c, err = load(t, inCluster(urls(16)+"credentials_file='s.key'\nprefix='A-1_b.c'\nca='ca.pem'\ncertificate='s.pem'\nprivate_key='s.key'\n[spool]\nstore='jetstream'\nreplicas=5\n"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(c.Path)
	got := c.Cluster
	if len(got.NATS) != 16 || got.CredentialsFile != filepath.Join(dir, "s.key") || got.Prefix != "A-1_b.c" || got.CA != filepath.Join(dir, "ca.pem") || got.Certificate != filepath.Join(dir, "s.pem") || got.PrivateKey != filepath.Join(dir, "s.key") {
		t.Errorf("the table is read as %+v", got)
	}
	if c.Spool.Store != SpoolStoreJetStream || c.Spool.Replicas != 5 {
		t.Errorf("[spool] is read as %+v", c.Spool)
	}
	if _, err := os.Stat(got.CA); err != nil {
		t.Error(err)
	}
}
