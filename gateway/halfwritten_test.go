package gateway

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
)

// list is a revocation list of the gateway's CA in PEM, made so long ago.
func (o *outside) list(ago time.Duration, revoked ...*certs.Pair) []byte {
	o.t.Helper()
	made := time.Now().Add(-ago)
	der, err := o.ca.CRL(made, made.Add(240*time.Hour), revoked...)
	if err != nil {
		o.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

// lines counts log lines that hold all of the texts.
func (o *outside) lines(texts ...string) (n int) {
	for line := range strings.Lines(o.log.String()) {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(line, text)
		}
		if all {
			n++
		}
	}
	return n
}

// A file that is half written changes nothing: clients of the CA that is not there
// yet stay, one line says what is wrong and where, and the file is taken up when it
// is whole.
//
// Rules: P104, P109
func TestHalfAFileChangesNothing(t *testing.T) {
	o := startOutside(t, answering(t))
	other, err := certs.NewCA("another CA")
	if err != nil {
		t.Fatal(err)
	}
	whole := append(bytes.Clone(other.CertPEM()), o.ca.CertPEM()...)
	plain := o.connect("plain")
	half := len(other.CertPEM()) + len(o.ca.CertPEM())/2
	line := itoa(uint16(bytes.Count(other.CertPEM(), []byte("\n")) + 1))
	for more := range 10 { // it grows, and is looked at in between
		o.put("ca.pem", whole[:half+more])
		if err := o.gw.reloadFiles(); err == nil || !strings.Contains(err.Error(), "ca.pem:"+line+`: "BEGIN CERTIFICATE" has no END: the file is cut short`) {
			t.Fatalf("expected the file to be cut short on line %s, got %v", line, err)
		}
	}
	plain.good()
	o.connect("plain").good()
	o.put("ca.pem", whole)
	if err := o.gw.reloadFiles(); err != nil {
		t.Fatalf("expected the whole file to be taken, got %v", err)
	}
	o.awaitLog("msg=reloaded what=certificates")
	if n := o.lines("reload refused", "cut short"); n != 1 {
		t.Errorf("expected one line about the file that is half written, got %d", n)
	}
	if n := len(o.gw.current.Load().files.clientCAs); n != 2 {
		t.Errorf("expected 2 CAs in force, got %d", n)
	}
	plain.good()
}

// A reload by hand that a half-written file stopped is tried again when that file
// changes, with everything else that it was to change.
//
// Rules: P109
func TestARefusedReloadIsTriedAgain(t *testing.T) {
	o := startOutside(t, answering(t))
	o.put("udp.secret", []byte("\xef\xbb\xbf"+gatewaytest.Secret+"\n"))
	o.rewrite("secret = \""+gatewaytest.Secret+"\"\n", "secret_file = \"udp.secret\"\n")
	o.rewrite("name = \"access\"\n", "name = \"renamed\"\n")
	o.put("ca.pem", o.ca.CertPEM()[:200])
	if err := o.gw.Reload(); err == nil || !strings.Contains(err.Error(), "cut short") || !strings.Contains(err.Error(), "a byte order mark (UTF-8)") {
		t.Fatalf("expected the reload to be refused because of both files, got %v", err)
	}
	o.connect("plain").good()
	o.put("ca.pem", o.ca.CertPEM())
	o.put("udp.secret", []byte(gatewaytest.Secret+"\n"))
	if err := o.gw.reloadFiles(); err != nil {
		t.Fatalf("expected the reload to be tried again and taken, got %v", err)
	}
	if name := o.gw.current.Load().Config.Clients[2].Name; name != "renamed" {
		t.Fatalf("expected the refused configuration in force, got the client %q", name)
	}
	o.connect("plain").good()

	// Not when the configuration itself has changed since: it may be half edited.
	o.put("ca.pem", o.ca.CertPEM()[:200])
	o.rewrite("name = \"renamed\"\n", "name = \"third\"\n")
	if err := o.gw.Reload(); err == nil {
		t.Fatal("expected the reload to be refused")
	}
	o.rewrite("name = \"third\"\n", "name = \"half edi\"\n")
	o.put("ca.pem", append(o.ca.CertPEM(), '\n'))
	if err := o.gw.reloadFiles(); err != nil {
		t.Fatalf("expected the CAs to be taken, got %v", err)
	}
	if name := o.gw.current.Load().Config.Clients[2].Name; name != "renamed" {
		t.Errorf("expected the configuration in force to stay, got the client %q", name)
	}
}

// A revocation list in the file of the CAs counts as one of crl, from the start of a
// connection and for open ones; a reload says which list and which CA are gone.
//
// Rules: P104, P109
func TestListsBesideTheCAs(t *testing.T) {
	o := startOutside(t, answering(t))
	other, err := certs.NewCA("another CA")
	if err != nil {
		t.Fatal(err)
	}
	plain, strict := o.connect("plain"), o.connect("strict")
	plain.good()
	fresh := o.list(time.Hour, o.pairs["strict"])
	o.put("ca.pem", append(append(bytes.Clone(o.ca.CertPEM()), fresh...), other.CertPEM()...))
	o.reload()
	if strict.read() != nil {
		t.Error("the revoked client is not closed")
	}
	plain.good()

	o.put("ca.pem", append(bytes.Clone(o.ca.CertPEM()), o.list(48*time.Hour, o.pairs["strict"])...))
	o.reload()
	o.awaitLog("a CA is gone with this reload")
	o.awaitLog("a revocation list is older than the one before this reload")
	if o.lines("level=WARN", "a CA is gone", "CN=another CA") != 1 || o.lines("level=WARN", "older than", "CN=the gateway's CA") != 1 {
		t.Errorf("expected both to be named once, the log is\n%s", o.log.String())
	}
	o.put("ca.pem", o.ca.CertPEM())
	o.reload()
	o.awaitLog("a revocation list is gone with this reload")
	o.reload()
	if n := o.lines("is gone with"); n != 2 {
		t.Errorf("expected 2 lines about what is gone, got %d", n)
	}
	stranger := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: listOf(t, other)})
	o.put("ca.pem", append(bytes.Clone(o.ca.CertPEM()), stranger...))
	if err := o.gw.Reload(); err == nil || !strings.Contains(err.Error(), "listen.client_ca: ") || !strings.Contains(err.Error(), "expected a certificate of that name in client_ca") {
		t.Errorf("expected a list that no CA has signed to be refused, got %v", err)
	}
	plain.good()
}

func listOf(t *testing.T, ca *certs.CA) []byte {
	t.Helper()
	der, err := ca.CRL(time.Now(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Lists are compared by issuer, key and scope, each newest with newest.
func TestLost(t *testing.T) {
	ca, err := certs.NewCA("CA")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	list := func(at time.Time) *x509.RevocationList {
		der, err := ca.CRL(at, at.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		l, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	of := func(lists ...*x509.RevocationList) *material {
		return &material{clientCAs: []*x509.Certificate{ca.Certificate}, crls: lists}
	}
	first, second := list(now), list(now.Add(time.Minute))
	one := [][]*x509.Certificate{{ca.Certificate}}
	twin, err := certs.NewCA("CA")
	if err != nil {
		t.Fatal(err)
	}
	nameless := func(l *x509.RevocationList) *x509.RevocationList { // as openssl makes them without crl_extensions
		c := *l
		c.AuthorityKeyId = nil
		return &c
	}
	der, err := twin.CRL(now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	twins, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	both := []*x509.Certificate{ca.Certificate, twin.Certificate}
	for _, x := range []struct {
		name          string
		before, after *material
		want          string // how the line begins; "": none
	}{
		{"newer", of(first), of(second), ""},
		{"older", of(second), of(first), "a revocation list is older"},
		{"older beside the newer", of(second), of(first, second), ""},
		{"one of two of an issuer", of(first, second), of(second), ""},
		{"gone", of(first), of(), "a revocation list is gone"},
		{"gone with its CA", of(first), &material{}, "a CA is gone"},
		{"the same", of(first), of(first), ""},
		{"that of one of two CAs of one name", &material{clientCAs: both, crls: []*x509.RevocationList{nameless(first), nameless(twins)}}, &material{clientCAs: both, crls: []*x509.RevocationList{nameless(twins)}}, "a revocation list is gone"},
		{"a client's CA", &material{ownCAs: one}, &material{}, "a CA is gone"},
		{"a client's CA that is the client CA", &material{clientCAs: one[0], ownCAs: one}, &material{}, "a CA is gone"},
		{"an intermediate", &material{intermediates: one[0]}, &material{}, "a CA is gone"},
		{"the list of a client's CA", &material{ownCAs: one, crls: []*x509.RevocationList{first}}, &material{ownCAs: one}, "a revocation list is gone"},
		{"shorter chain", &material{pair: tls.Certificate{Certificate: make([][]byte, 2)}}, &material{pair: tls.Certificate{Certificate: make([][]byte, 1)}}, "the certificate's chain is shorter"},
	} {
		got := losses(x.before, x.after)
		if x.want == "" && len(got) > 0 || x.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0].text, x.want)) {
			t.Errorf("%s: expected one line %q, got %v", x.name, x.want, got)
		}
	}
}
