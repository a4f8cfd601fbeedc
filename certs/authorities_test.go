package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A CA whose own signature is damaged is read with a warning that names it and its line.
// A certificate that another CA signed, or that Go cannot verify, is not called damaged.
func TestDamagedCA(t *testing.T) {
	ca, other := newCA(t), must(NewCA("other"))
	damage := func(der []byte, at int) []byte {
		der = bytes.Clone(der)
		der[at] ^= 1
		return der
	}
	raw := ca.Certificate.Raw
	key := bytes.Index(raw, ca.Certificate.SubjectKeyId)
	block := func(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }
	signature := block(damage(raw, len(raw)-1))
	below := must(ca.Server([]string{"between"}))
	named := must(NewCA("names its key", func(c *x509.Certificate) { c.SubjectKeyId, c.AuthorityKeyId = []byte{7, 7, 7}, []byte{7, 7, 7} })).Certificate
	unknown := bytes.Replace(raw, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x02}, 1) // id-ecPublicKey
	for _, c := range []struct {
		says string
		data []byte
		want string // the beginning of the warning; "": none
	}{
		{"whole", ca.CertPEM(), ""},
		{"a damaged signature", slices.Concat(other.CertPEM(), signature), "f.pem:" + strconv.Itoa(bytes.Count(other.CertPEM(), []byte("\n"))+1) + ": the certificate of " + ca.Certificate.Subject.String() + " is self-signed"},
		{"the same in DER", damage(raw, len(raw)-1), "f.pem: the certificate of " + ca.Certificate.Subject.String() + " is self-signed"},
		{"damage elsewhere", block(damage(raw, key)), "f.pem:1: "},
		{"another name", block(damage(named.Raw, bytes.Index(named.Raw, named.RawSubject)+len(named.RawSubject)-2)), "f.pem:1: the certificate of "},
		{"a key of an unknown kind", block(unknown), "f.pem:1: the key of "},
		{"damaged, beside the whole one", slices.Concat(ca.CertPEM(), signature), "f.pem:" + strconv.Itoa(bytes.Count(ca.CertPEM(), []byte("\n"))+1) + ": "},
	} {
		a, err := ParseCA("f.pem", c.data)
		if err != nil {
			t.Errorf("%s: %v", c.says, err)
			continue
		}
		if n := len(a.Warnings); n > 1 || (n == 0) != (c.want == "") || n == 1 && !strings.HasPrefix(a.Warnings[0].Error(), c.want) {
			t.Errorf("%s: the warnings are %q, expected one that begins %q", c.says, a.Warnings, c.want)
		}
	}
	// A certificate signed by another one of the same name, as after a change of keys.
	if c := below.Certificate; selfSigned(c) || !mayHaveSigned(ca.Certificate, c) || mayHaveSigned(other.Certificate, c) {
		t.Error("the signer of a server certificate is not recognised")
	}
	changed := *ca.Certificate
	for _, a := range []x509.SignatureAlgorithm{x509.UnknownSignatureAlgorithm, x509.MD5WithRSA} {
		if changed.SignatureAlgorithm = a; !mayHaveSigned(&changed, &changed) {
			t.Errorf("a signature with %v, which Go does not verify, is called damaged", a)
		}
	}
}

// A self-signed certificate that is not a CA is accepted as an authority, for itself,
// and refused as an intermediate.
//
// Rules: P104
func TestSelfSignedLeaf(t *testing.T) {
	m := newMaterial()
	self := must(NewCA("self", func(t *x509.Certificate) { t.IsCA, t.MaxPathLenZero = false, false }))
	for _, c := range []fileCase{
		{"self-signed, not a CA", authorities, string(self.CertPEM()), 1, ""},
		{"self-signed, not a CA", intermediates, string(self.CertPEM()), 0, at(1, "CN=self,O=radsec-gw development is not a CA (basicConstraints)")},
	} {
		c.test(t, m)
	}
}
