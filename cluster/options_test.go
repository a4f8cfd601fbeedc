package cluster

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"radsec-gw/certs"
	"radsec-gw/cluster/natstest"
)

// account is an account of a NATS server, which signs its users.
type account struct {
	t        *testing.T
	key      nkeys.KeyPair
	operator string // configuration of the server
}

// newAccount makes an operator and its only account.
func newAccount(t *testing.T) *account {
	t.Helper()
	operator, _ := nkeys.CreateOperator()
	key, _ := nkeys.CreateAccount()
	operatorID, _ := operator.PublicKey()
	id, _ := key.PublicKey()
	o, err := jwt.NewOperatorClaims(operatorID).Encode(operator)
	if err != nil {
		t.Fatal(err)
	}
	a, err := jwt.NewAccountClaims(id).Encode(operator)
	if err != nil {
		t.Fatal(err)
	}
	return &account{t, key, fmt.Sprintf("operator: %s\nresolver: MEMORY\nresolver_preload: { %s: %s }", o, id, a)}
}

// credentials returns the file of a user.
func (a *account) credentials() []byte {
	a.t.Helper()
	user, _ := nkeys.CreateUser()
	id, _ := user.PublicKey()
	token, err := jwt.NewUserClaims(id).Encode(a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	seed, _ := user.Seed()
	b, err := jwt.FormatUserConfig(token, seed)
	if err != nil {
		a.t.Fatal(err)
	}
	return b
}

// Credentials that the server refuses are an error of the log that names their file. They are tried
// again, so that the gateway connects when the file has others.
//
// Rules: GW2, GW6
func TestCredentials(t *testing.T) {
	good, other := newAccount(t), newAccount(t)
	servers := natstest.StartWith(t, 1, natstest.Options{Plain: true, Config: good.operator, Client: []nats.Option{nats.UserCredentialBytes(good.credentials())}})
	dir := t.TempDir()
	file := put(t, dir, "nats.creds", other.credentials())
	c, log := connect(t, Config{URLs: servers.URLs(), CredentialsFile: file})
	until(t, "an error", func() bool { return log.counts("level=ERROR") == 1 })
	if text := log.String(); !strings.Contains(text, "NATS refuses this gateway") || !strings.Contains(text, "credentials_file="+file) {
		t.Errorf("the log has\n%s\nexpected the name of the file", text)
	}
	put(t, dir, "nats.creds", good.credentials())
	await(t, c, true)

	put(t, dir, "nats.creds", []byte("nonsense")) // a half-written file
	servers.Kill(0)
	await(t, c, false)
	servers.Restart(0)
	until(t, "a reason", func() bool { return strings.Contains(c.State().Error, file+": expected NATS credentials") })
	put(t, dir, "nats.creds", good.credentials())
	await(t, c, true)

	nc := c.NATS()
	put(t, dir, "nats.creds", other.credentials()) // refused again and again, while it connects again
	servers.Kill(0)
	await(t, c, false)
	before := nc.Stats().Reconnects
	servers.Restart(0)
	until(t, "five refusals", func() bool { return nc.Stats().Reconnects >= before+5 })
	put(t, dir, "nats.creds", good.credentials())
	await(t, c, true)
	if c.NATS() != nc {
		t.Error("the connection is another, expected the same, with its subscriptions")
	}
	if n := log.counts("level=ERROR"); n > 2 {
		t.Errorf("the log has %d errors, expected one for each cause at most:\n%v", n, log)
	}
}

// Rules: GW6
func TestCheckCredentials(t *testing.T) {
	good := string(newAccount(t).credentials())
	if _, err := CheckCredentials("", []byte(good)); err != nil {
		t.Error(err)
	}
	key := strings.Index(good, "-----BEGIN USER NKEY SEED-----")
	for name, bad := range map[string]string{"empty": "", "text": "hello", "no key": good[:key], "no token": good[key:], "a damaged key": strings.Replace(good, "\nSU", "\nSX", 1)} {
		if _, err := CheckCredentials("", []byte(bad)); err == nil || strings.Contains(err.Error(), "SU") || !strings.Contains(err.Error(), "expected NATS credentials") {
			t.Errorf("%s: got %v, expected an error", name, err)
		}
	}
}

// authority makes certificates for NATS and its clients in a directory.
type authority struct {
	t   *testing.T
	dir string
	ca  *certs.CA
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	ca, err := certs.NewCA("NATS")
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t, t.TempDir(), ca}
	put(t, a.dir, "ca.pem", ca.CertPEM())
	server, err := ca.Server([]string{"127.0.0.1"})
	a.write("server", server, err)
	return a
}

// write writes a certificate and its key.
func (a *authority) write(name string, p *certs.Pair, err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
	key, err := p.KeyPEM()
	if err != nil {
		a.t.Fatal(err)
	}
	put(a.t, a.dir, name+".pem", p.CertPEM())
	put(a.t, a.dir, name+".key", key)
}

// client writes a client's certificate.
func (a *authority) client(name string) tls.Certificate {
	a.t.Helper()
	p, err := a.ca.Client(name)
	a.write(name, p, err)
	return p.TLS()
}

// path returns the path of a file.
func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

// start runs a NATS server that demands a client certificate.
func (a *authority) start() *natstest.Cluster {
	a.t.Helper()
	config := fmt.Sprintf("tls { cert_file: %q, key_file: %q, ca_file: %q, verify: true }", a.path("server.pem"), a.path("server.key"), a.path("ca.pem"))
	pair := a.client("test")
	return natstest.StartWith(a.t, 1, natstest.Options{Plain: true, Config: config, Client: []nats.Option{nats.Secure(&tls.Config{RootCAs: certs.Pool(a.ca.Certificate), Certificates: []tls.Certificate{pair}})}})
}

// Server and gateway verify each other's certificates; when the gateway's are renewed in their
// files, the next connection uses them.
//
// Rules: GW6
func TestTLS(t *testing.T) {
	a := newAuthority(t)
	servers := a.start()
	other, err := certs.NewCA("other")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := other.Client("gateway")
	a.write("gateway", stranger, err)
	path := func(name string) string { return filepath.Join(a.dir, name) }
	c, _ := connect(t, Config{URLs: servers.URLs(), CA: path("ca.pem"), Certificate: path("gateway.pem"), PrivateKey: path("gateway.key")})
	until(t, "a reason", func() bool { return c.State().Error != "" })
	a.client("gateway")
	await(t, c, true)
	if state, err := c.NATS().TLSConnectionState(); err != nil || !state.HandshakeComplete {
		t.Errorf("the connection is not encrypted (%v)", err)
	}

	a.write("gateway", stranger, nil)
	servers.Kill(0)
	await(t, c, false)
	servers.Restart(0)
	until(t, "a reason", func() bool { return strings.Contains(c.State().Error, "tls") })
	if c.Connected() {
		t.Error("connected with a certificate of another CA, expected that it is refused")
	}
	put(t, a.dir, "ca.pem", other.CertPEM()) // so is the CA; the server has read its own
	a.client("gateway")
	until(t, "another reason", func() bool { return strings.Contains(c.State().Error, "unknown authority") })
	put(t, a.dir, "ca.pem", a.ca.CertPEM())
	await(t, c, true)
}

// A server whose certificate is not of the configured CA gets nothing, and neither does one
// without TLS.
//
// Rules: GW6
func TestServerIsVerified(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	encrypted, plain := a.start(), natstest.StartWith(t, 1, natstest.Options{Plain: true})
	for _, x := range []struct {
		url, ca, want string
	}{
		{encrypted.URLs()[0], other.dir, "certificate signed by unknown authority"},
		{plain.URLs()[0], a.dir, "secure connection not available"},
		{strings.Replace(plain.URLs()[0], "nats:", "tls:", 1), "", "secure connection not available"},
		{encrypted.URLs()[0], "nowhere", "no such file"},
	} {
		cfg := Config{URLs: []string{x.url}}
		if x.ca != "" {
			cfg.CA = filepath.Join(x.ca, "ca.pem")
		}
		c, _ := connect(t, cfg)
		until(t, x.want, func() bool { return strings.Contains(c.State().Error, x.want) })
		if c.Connected() {
			t.Errorf("connected to %s, expected %s", x.url, x.want)
		}
	}
}

// A certificate whose names are not those of a user of the NATS servers is an error of the log that names it,
// and says nothing of a password that nobody has configured first.
//
// Rules: GW6
func TestRefusedCertificate(t *testing.T) {
	a := newAuthority(t)
	servers := documented(a)
	a.client("stranger")
	c, log := connect(t, Config{URLs: servers.URLs(), CA: a.path("ca.pem"), Certificate: a.path("stranger.pem"), PrivateKey: a.path("stranger.key")})
	until(t, "an error", func() bool { return log.counts("level=ERROR") == 1 })
	if text := log.String(); !strings.Contains(text, "with the others: see whether a name of the certificate of [cluster] is a user") || !strings.Contains(text, "certificate="+a.path("stranger.pem")) {
		t.Errorf("the log has\n%s\nexpected that it names the certificate", text)
	}
	if c.Connected() {
		t.Error("connected with a certificate that is no user's, expected that it is refused")
	}
}

// What a line of the log says of a refusal names what is configured.
//
// Rules: GW6
func TestRefusedTexts(t *testing.T) {
	for _, x := range []struct {
		cfg         Config
		text, field string
	}{
		{Config{}, "see the user in the URLs", "error"},
		{Config{Certificate: "c"}, "see whether a name of the certificate", "certificate"},
		{Config{CredentialsFile: "f"}, "see credentials_file", "credentials_file"},
		{Config{CredentialsFile: "f", Certificate: "c"}, "see credentials_file", "credentials_file"},
	} {
		c := &Conn{cfg: x.cfg}
		if line := c.refused("why"); !strings.Contains(line.Text, "with the others: "+x.text) || line.Fields[0] != x.field {
			t.Errorf("%+v: the line is %q with %v, expected %s and the field %s", x.cfg, line.Text, line.Fields, x.text, x.field)
		}
	}
	for text, want := range map[string]string{
		`nats: permissions violation: Permissions Violation for Publish to "$KV.radsec-gw-spool.lead"`: "$KV.radsec-gw-spool.lead",
		`Permissions Violation for Subscription to "a.b" using queue "q"`:                              "a.b",
		"maximum payload exceeded": "",
	} {
		if got := deniedSubject(text); got != want {
			t.Errorf("%s: got %q, expected %q", text, got, want)
		}
	}
}
