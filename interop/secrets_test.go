package interop

import (
	"slices"
	"strings"
	"testing"

	"radsec-gw/probe"
)

// leaks returns the secrets and passwords in a text. The RadSec leg's "radsec" is public and
// part of the program's name.
func leaks(text string) []string {
	var found []string
	for _, secret := range []string{nasSecret, udpSecret, coaSecret, userPassword, wrongPassword, "tunnel-secret-", "sixteen-octets-x"} {
		if strings.Contains(text, secret) {
			found = append(found, secret)
		}
	}
	return found
}

// The gateway logs at level debug, and prints neither a secret nor a password. TestMain looks again
// after all tests, when the gateway has ended.
func TestGatewayPrintsNoSecret(t *testing.T) {
	if found := leaks("password " + userPassword + " and " + udpSecret); !slices.Equal(found, []string{udpSecret, userPassword}) {
		t.Fatalf("the search itself is broken: it found %q", found)
	}
	for _, password := range []string{userPassword, wrongPassword} {
		shared.probe(probe.Config{Kind: probe.Access, User: "bob", Password: password})
		shared.radclient("auth", "User-Name = \"bob\"\nUser-Password = \""+password+"\"\n")
	}
	shared.probe(probe.Config{Kind: probe.Access, User: "bob", Password: userPassword, Secret: "another-secret"})
	printed := shared.gateway.Printed()
	if found := leaks(printed); found != nil {
		t.Errorf("the gateway printed %q:\n%s", found, printed)
	}
}
