package identity

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
	"testing"
)

// replaced returns der with one part replaced by another of the same length.
func replaced(t testing.TB, der []byte, from, to string) []byte {
	t.Helper()
	if !bytes.Contains(der, []byte(from)) || len(from) != len(to) {
		t.Fatalf("%x does not have %q, or %q is no replacement", der, from, to)
	}
	return bytes.ReplaceAll(der, []byte(from), []byte(to))
}

// named returns a certificate with this subject, in DER form.
func named(subject pkix.Name) []byte { return newForger().certificate(subject, subject, nil) }

// version9 changes a certificate to version 9, which Go does not parse (RFC 5280
// §4.1.2.1).
func version9(t testing.TB, der []byte) []byte {
	return replaced(t, der, "\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x08")
}

// The first certificate that does not parse is described by its position and
// fingerprint, and by its subject, also if that is malformed.
//
// Rules: P105
func TestUnparsed(t *testing.T) {
	good := named(pkix.Name{CommonName: "good"})
	broken := version9(t, named(pkix.Name{CommonName: "ap7", Organization: []string{"Example"}, Locality: []string{"Town"}}))
	underscore := replaced(t, named(pkix.Name{CommonName: "ap7 east"}), "ap7 east", "ap7_east") // a PrintableString
	latin := replaced(t, named(pkix.Name{CommonName: "caf\u00e9"}), "caf\u00e9", "caf\xe9!")    // no UTF-8
	long := version9(t, named(pkix.Name{CommonName: strings.Repeat("n", 300)}))
	endless := version9(t, named(pkix.Name{Organization: many(300)}))
	first := broken[:len(broken)-1] // one byte is missing
	for _, c := range []struct {
		name string
		sent [][]byte
		want string // what comes before the fingerprint; "": all of them parse
		of   int    // whose fingerprint it is
	}{
		{"nothing", nil, "", 0},
		{"all parse", [][]byte{good, good}, "", 0},
		{"an unknown version", [][]byte{broken}, "certificate 1 of the 1 that the peer sent, of CN=ap7,O=Example,L=Town", 0},
		{"an intermediate", [][]byte{good, broken, underscore}, "certificate 2 of the 3 that the peer sent, of CN=ap7,O=Example,L=Town", 1},
		{"a character that its type does not allow", [][]byte{underscore}, "certificate 1 of the 1 that the peer sent, of CN=ap7_east", 0},
		{"not UTF-8", [][]byte{latin}, "certificate 1 of the 1 that the peer sent, of CN=caf\uFFFD!", 0},
		{"a long name", [][]byte{long}, "certificate 1 of the 1 that the peer sent, of CN=" + strings.Repeat("n", longestText-3) + "…", 0},
		{"a name beyond the bound", [][]byte{endless}, "certificate 1 of the 1 that the peer sent, whose subject cannot be read", 0},
		{"cut short", [][]byte{first}, "certificate 1 of the 1 that the peer sent, whose subject cannot be read", 0},
		{"not DER", [][]byte{good, []byte("-----BEGIN")}, "certificate 2 of the 2 that the peer sent, whose subject cannot be read", 1},
		{"empty", [][]byte{{}}, "certificate 1 of the 1 that the peer sent, whose subject cannot be read", 0},
	} {
		got := Unparsed(c.sent)
		want := ""
		if c.want != "" {
			want = fmt.Sprintf("%s, with the fingerprint %s", c.want, fingerprintOf(c.sent[c.of]))
		}
		if got != want {
			t.Errorf("%s: expected\n%q\ngot\n%q", c.name, want, got)
		}
	}
	sum := sha256.Sum256(broken)
	if !strings.Contains(strings.ReplaceAll(Unparsed([][]byte{broken}), ":", ""), fmt.Sprintf("sha256%X", sum)) {
		t.Error("the fingerprint is not the SHA-256 of what was sent")
	}
}

// A subject is read up to the first damage, whatever surrounds it.
func TestSubjectIn(t *testing.T) {
	seq := func(parts ...[]byte) []byte {
		return must(asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: bytes.Join(parts, nil)}))
	}
	set := func(parts ...[]byte) []byte {
		return must(asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: bytes.Join(parts, nil)}))
	}
	pair := func(oid asn1.ObjectIdentifier, value string) []byte {
		return seq(must(asn1.Marshal(oid)), must(asn1.Marshal(asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(value)})))
	}
	cn, serialNumber := asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.ObjectIdentifier{2, 5, 4, 5}
	one := must(asn1.Marshal(1))
	version := must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: one}))
	key := must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: one}))
	application := must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassApplication, IsCompound: true, Bytes: one}))
	name := seq(set(pair(cn, "x")))
	for _, c := range []struct {
		name string
		der  []byte
		want string
	}{
		{"with a version", seq(seq(version, one, one, one, one, name)), "CN=x"},
		{"without one", seq(seq(one, one, one, one, name)), "CN=x"},
		{"with something else in its place", seq(seq(key, one, one, one, name)), "CN=x"},
		{"a tag of another class in its place", seq(seq(application, one, one, one, name)), "CN=x"},
		{"one part too few", seq(seq(version, one, one, one, name)), ""},
		{"nothing after the parts before it", seq(seq(version, one, one, one, one)), ""},
		{"a subject that is a SET", seq(seq(version, one, one, one, one, set(name))), ""},
		{"a certificate that is a SET", set(seq(version, one, one, one, one, name)), ""},
		{"a body that is a SET", seq(set(version, one, one, one, one, name)), ""},
		{"an empty subject", seq(seq(version, one, one, one, one, seq())), ""},
		{"two attributes in one RDN", seq(seq(version, one, one, one, one, seq(set(pair(cn, "x"), pair(serialNumber, "7"))))), "CN=x+SERIALNUMBER=7"},
		{"two RDNs", seq(seq(version, one, one, one, one, seq(set(pair(cn, "x")), set(pair(serialNumber, "7"))))), "SERIALNUMBER=7,CN=x"},
		{"something else between them", seq(seq(version, one, one, one, one, seq(set(pair(cn, "x")), one, set(pair(serialNumber, "7"))))), "CN=x"},
		{"an RDN that is empty", seq(seq(version, one, one, one, one, seq(set(), set(pair(cn, "x"))))), "CN=x"},
		{"something that is not an attribute", seq(seq(version, one, one, one, one, seq(set(pair(cn, "x"), one)))), "CN=x"},
		{"an attribute without a value", seq(seq(version, one, one, one, one, seq(set(pair(cn, "x"), seq(must(asn1.Marshal(cn))))))), "CN=x"},
		{"an attribute without a type", seq(seq(version, one, one, one, one, seq(set(pair(cn, "x"), seq(one, one))))), "CN=x"},
	} {
		if got := subjectIn(c.der); got != c.want {
			t.Errorf("%s: expected %q, got %q", c.name, c.want, got)
		}
	}
}

// For any input the text is short, and Unparsed agrees with crypto/x509.
func FuzzSubjectIn(f *testing.F) {
	good := named(pkix.Name{CommonName: "ap7", Organization: []string{"Example"}})
	f.Add(good)
	f.Add(version9(f, good))
	f.Add(good[:len(good)/2])
	f.Add([]byte{0x30, 0x80, 0x30, 0x80, 2, 1, 1})
	f.Add([]byte{0x30, 3, 0x30, 1, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		text := subjectIn(der)
		if len(text) > longestText+len("…") {
			t.Fatalf("expected at most %d bytes, got %d: %q", longestText, len(text), text)
		}
		if _, err := x509.ParseCertificate(der); (err == nil) != (Unparsed([][]byte{der}) == "") {
			t.Fatalf("crypto/x509 returns %v, and Unparsed %q", err, Unparsed([][]byte{der}))
		}
	})
}

// The version of a certificate is optional (RFC 5280 §4.1.2.1), and a name must have the
// tag of a SEQUENCE.
func TestSubjectWithoutVersion(t *testing.T) {
	var none *authority
	certificate, _, _ := element(none.issue("x", nil, false).cert.Raw, asn1.TagSequence)
	tbs, after, _ := element(certificate, asn1.TagSequence)
	var version asn1.RawValue
	rest := must(asn1.Unmarshal(tbs, &version))
	sequence := func(b []byte) []byte {
		return must(asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: b}))
	}
	if got := subjectIn(sequence(append(sequence(rest), after...))); got != "CN=x" {
		t.Errorf("the subject is %q, expected CN=x", got)
	}
	if _, _, ok := element([]byte{0xb0, 0}, asn1.TagSequence); ok {
		t.Error("a context-specific element counts as a SEQUENCE")
	}
}
