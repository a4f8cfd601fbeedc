package identity

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"strings"
	"testing"
	"time"
)

// An issuer without a list is named once, however many certificates it has, and only if
// others have lists.
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

// The names of CAs are sent up to and including the bound.
//
// Rules: TR3
func TestNamesSentUpToTheBound(t *testing.T) {
	for over := range 2 {
		v := &Verifier{trust: &trust{anchors: []*x509.Certificate{{RawSubject: make([]byte, maxNamesSent-2+over)}}}}
		sent := !v.NamesSent().Equal(x509.NewCertPool())
		if mentioned := v.Review().Names != ""; sent == (over > 0) || mentioned == sent {
			t.Errorf("%d bytes of names, of at most %d: sent %v, warned of %v", maxNamesSent+over, maxNamesSent, sent, mentioned)
		}
	}
}

// A certificate that is trusted for itself has issued nothing, and needs no list.
func TestLeafThatIsAnAnchorNeedsNoList(t *testing.T) {
	var none *authority
	root, alone := none.issue("root", nil, true), none.issue("alone", nil, false)
	v := must(NewVerifier(&Config{ClientCA: certsOf(root, alone), CRLs: []*x509.RevocationList{root.list(time.Now().Add(time.Hour))}}, nil))
	if got := v.Review().WithoutLists; len(got) != 0 {
		t.Errorf("the review names %q, expected nobody", got)
	}
}

// The names of all CAs are sent, each once, if the message with them fits in a record.
//
// Rules: TR3
func TestNamesSentInTheHandshake(t *testing.T) {
	f := newForger()
	forged := func(n, length int) (list []*x509.Certificate) {
		for i := range n {
			name := pkix.Name{CommonName: fmt.Sprintf("%0*d", length, i)}
			list = append(list, must(x509.ParseCertificate(f.certificate(name, name, nil))))
		}
		return list
	}
	var none *authority
	root := none.issue("root", nil, true)
	for _, c := range []struct {
		name  string
		cas   []*x509.Certificate
		names int
	}{
		{"none beside client_ca", nil, 1},
		{"two clients' CAs, one of them with client_ca's name", certsOf(none.issue("other", nil, true), none.issue("root", nil, true)), 2},
		{"16,000 bytes", forged(270, 44), 271}, // 59 bytes each, and 19 of root
		{"eight bytes more", forged(271, 44), 0},
		{"1,200", forged(1200, 44), 0},
	} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(root), Clients: Clients{{Name: "x", CA: c.cas}}}, nil))
		list, size := v.trust.names()
		pool := x509.NewCertPool()
		if c.names > 0 {
			for _, c := range list {
				pool.AddCert(c)
			}
		}
		if !v.NamesSent().Equal(pool) || c.names > 0 && len(list) != c.names {
			t.Errorf("%s: of %d names of %d bytes, others are sent than the %d wanted", c.name, len(list), size, c.names)
		}
		if text := v.Review().Names; (text != "") != (c.names == 0) {
			t.Errorf("%s: the review has %q", c.name, text)
		}
	}
}
