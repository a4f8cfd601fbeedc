package certs

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

// The scope of a list is what its issuingDistributionPoint holds (RFC 5280 §5.2.5),
// whatever other extensions it has.
func TestScope(t *testing.T) {
	ca := must(NewCA("scopes"))
	onlyUserCerts := string([]byte{0x30, 3, 0x81, 1, 0xff})
	other := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}
	for _, row := range []struct {
		name       string
		extensions []pkix.Extension
		want       string
	}{
		{"none", nil, ""},
		{"another extension", []pkix.Extension{other}, ""},
		{"certificates of users", []pkix.Extension{other, {Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte(onlyUserCerts)}}, onlyUserCerts},
	} {
		list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour), ExtraExtensions: row.extensions}
		der := must(x509.CreateRevocationList(rand.Reader, list, ca.Certificate, ca.Key))
		if got := Scope(must(x509.ParseRevocationList(der))); got != row.want {
			t.Errorf("%s: got the scope %x, expected %x", row.name, got, row.want)
		}
	}
}
