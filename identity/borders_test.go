package identity

import (
	"crypto/x509"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The first client's own CA stands right behind those of the client CA, and still counts
// for that client alone.
//
// Rules: TR1
func TestTheFirstClientsCAIsItsOwn(t *testing.T) {
	var none *authority
	common, own := none.issue("common", nil, true), none.issue("own", nil, true)
	v := must(NewVerifier(&Config{ClientCA: certsOf(common), Clients: Clients{
		{Name: "first", CA: certsOf(own), CommonNames: []string{"x"}},
		{Name: "rest"},
	}}, nil))
	for _, c := range []struct {
		leaf *authority
		want string
	}{
		{own.issue("x", nil, false), "first"},
		{own.issue("y", nil, false), ""},
		{common.issue("x", nil, false), "rest"},
	} {
		if name, _ := who(v, c.leaf); name != c.want {
			t.Errorf("%s, issued by %s, is client %q, expected %q", c.leaf.cert.Subject, c.leaf.cert.Issuer, name, c.want)
		}
	}
}

// A CA that is configured twice does not hide the ones after it.
func TestDoubledCA(t *testing.T) {
	var none *authority
	a, b := none.issue("a", nil, true), none.issue("b", nil, true)
	v := must(NewVerifier(&Config{ClientCA: certsOf(a, a, b)}, nil))
	if r := v.Verify(certsOf(b.issue("x", nil, false)), time.Now()); r != nil {
		t.Errorf("a certificate of the second CA gets %v, expected it good", r)
	}
}

// What one peer sends along is not there for the next.
func TestSentIntermediatesAreForTheirPeer(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	sub := root.issue("sub", nil, true)
	v := must(NewVerifier(&Config{ClientCA: certsOf(root)}, nil))
	before := v.trust.between.Clone()
	if r := v.Verify(certsOf(sub.issue("x", nil, false), sub), time.Now()); r != nil {
		t.Fatalf("a certificate with its intermediate gets %v, expected it good", r)
	}
	if !v.trust.between.Equal(before) {
		t.Error("the intermediate of one peer is known for all of them")
	}
	if r := v.Verify(certsOf(sub.issue("y", nil, false)), time.Now()); r == nil || r.Reason != CertificateUntrusted {
		t.Errorf("a certificate without its intermediate gets %v, expected a refusal as untrusted", r)
	}
}

// Each list of a path is looked at, also above one that does not say until when it is good.
//
// Rules: TR4
func TestStaleListAboveOneWithoutEnd(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	sub := root.issue("sub", nil, true)
	now := time.Now()
	endless := sub.list(now.Add(time.Hour))
	endless.NextUpdate = time.Time{}
	v := must(NewVerifier(&Config{ClientCA: certsOf(root), Intermediates: certsOf(sub), RefuseStaleCRL: true,
		CRLs: []*x509.RevocationList{endless, root.list(now.Add(-time.Minute))}}, nil))
	leaf := sub.issue("x", nil, false)
	if r := v.Verify(certsOf(leaf), now); r == nil || r.Reason != ListStale || !strings.Contains(r.Text, "root") {
		t.Errorf("with root's list out of date the certificate gets %v, expected a refusal that names it", r)
	}
}

// A refusal names the peer's own certificate, whichever of those sent is at fault.
func TestRefusalsNameTheLeaf(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	leaf := root.issue("x", nil, false)
	many := []*authority{leaf}
	for range maxSentCertificates {
		many = append(many, root.issue("other", nil, true))
	}
	v := must(NewVerifier(&Config{ClientCA: certsOf(root)}, nil))
	if r := v.Verify(certsOf(many...), time.Now()); r == nil || r.Reason != CertificateExcessive || !r.Leaf.Equal(leaf.cert) {
		t.Errorf("%d certificates get %v, expected a refusal that has the first", len(many), r)
	}
}

// An issuer without a list is named once, however many certificates it has, and only
// where others have lists.
func TestIssuersWithoutListsAreNamedOnce(t *testing.T) {
	var none *authority
	a := none.issue("a", nil, true)
	again := none.issue("a", a.key, true)
	b := none.issue("b", nil, true)
	ca := certsOf(a, again, b)
	v := must(NewVerifier(&Config{ClientCA: ca, CRLs: []*x509.RevocationList{b.list(time.Now().Add(time.Hour))}}, nil))
	if got := v.Review().WithoutLists; len(got) != 1 || !strings.Contains(got[0], "CN=a") {
		t.Errorf("the review names %q, expected CN=a once", got)
	}
	if got := must(NewVerifier(&Config{ClientCA: ca}, nil)).Review().WithoutLists; len(got) != 0 {
		t.Errorf("without any list the review names %q, expected nobody", got)
	}
}

// The names of CAs are told up to the bound, the bound included.
//
// Rules: TR3
func TestNamesAtTheBound(t *testing.T) {
	for over := range 2 {
		v := &Verifier{trust: &trust{anchors: []*x509.Certificate{{RawSubject: make([]byte, maxNamesSent-2+over)}}}}
		told := !v.NamesSent().Equal(x509.NewCertPool())
		if mentioned := v.Review().Names != ""; told == (over > 0) || mentioned == told {
			t.Errorf("%d bytes of names, of at most %d: told %v, warned of %v", maxNamesSent+over, maxNamesSent, told, mentioned)
		}
	}
}

// A certificate that stands for itself has issued nothing, and needs no list.
func TestItsOwnAnchorNeedsNoList(t *testing.T) {
	var none *authority
	root, alone := none.issue("root", nil, true), none.issue("alone", nil, false)
	v := must(NewVerifier(&Config{ClientCA: certsOf(root, alone), CRLs: []*x509.RevocationList{root.list(time.Now().Add(time.Hour))}}, nil))
	if got := v.Review().WithoutLists; len(got) != 0 {
		t.Errorf("the review misses lists of %q, expected of nobody", got)
	}
}

// An intermediate that is an anchor itself is looked up in the list of the CA that has
// signed it, not in that of another of the same name.
//
// Rules: TR4
func TestAnchorBelowOneOfTwoCAsOfOneName(t *testing.T) {
	var none *authority
	other, root := none.issue("root", nil, true), none.issue("root", nil, true)
	sub := root.issue("sub", nil, true)
	now := time.Now()
	v := must(NewVerifier(&Config{ClientCA: certsOf(other, root, sub),
		CRLs: []*x509.RevocationList{other.list(now.Add(time.Hour)), root.list(now.Add(time.Hour), sub)}}, nil))
	if r := v.Verify(certsOf(sub.issue("x", nil, false)), now); r == nil || r.Reason != CertificateRevoked {
		t.Errorf("below a revoked intermediate the certificate gets %v, expected a refusal as revoked", r)
	}
	for _, l := range v.ListAges(time.Now()) {
		if !regexp.MustCompile(`^CN=root \(key [0-9A-F]{8}\)$`).MatchString(l.Issuer) {
			t.Errorf("a list of one of two CAs is called %q, expected the name and four bytes of the key", l.Issuer)
		}
	}
}
