package gateway

import (
	"reflect"
	"strings"
	"testing"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/identity"
)

// What identity compares with the certificate counts as a condition on it in config too,
// whose warnings and check's output depend on that.
func TestConditionsOnTheCertificate(t *testing.T) {
	file := keysFile(t)
	of := func(text string) (built identity.Client, byCertificate bool) {
		gatewaytest.WriteFile(t, file, []byte(text))
		p := planOf(t, file)
		c, err := buildIdentity(&p.Config.Clients[0], p.files.ownCAs[0])
		if err != nil {
			t.Fatal(err)
		}
		built = c.Client
		built.Name, built.Networks = "", nil
		return built, p.Config.Clients[0].ByCertificate()
	}
	before, _ := of(keysConfig)
	for name, change := range clientChanges() {
		after, byCertificate := of(change.text(t, name))
		if compared := !reflect.DeepEqual(before, after); compared != byCertificate {
			t.Errorf("%s: compared with the certificate: %t, in ByCertificate: %t", strings.TrimPrefix(name, "Clients."), compared, byCertificate)
		}
	}
}
