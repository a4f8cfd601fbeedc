package identity

import (
	"crypto/x509"
	"reflect"
	"slices"
	"testing"
)

// Each field of a client but its name, its networks and its PSK is a condition on the
// certificate: by itself it refuses a peer without one, and a peer with another one, and
// the log says why.
//
// Rules: P105
func TestEachFieldIsACondition(t *testing.T) {
	other := &Peer{Leaf: &x509.Certificate{}, paths: ofClientCA}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Client]()) {
		if slices.Contains([]string{"Name", "Networks", "PSKIdentity", "PSK"}, f.Name) {
			continue
		}
		var c Client
		set(reflect.ValueOf(&c).Elem().FieldByIndex(f.Index))
		if got := c.unmet(&Peer{}); got != certificateMissing {
			t.Errorf("%s: expected a peer without a certificate to be refused for that, got condition %d", f.Name, got)
		}
		if got := c.unmet(other); got < caUnmet {
			t.Errorf("%s: expected another certificate to be refused, got condition %d", f.Name, got)
		}
		if c.unmetText(other) == "" {
			t.Errorf("%s: expected the log to say why a peer is refused, got nothing", f.Name)
		}
	}
}

// set gives a field a value that is not zero; a list gets one element.
func set(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Array:
		set(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		set(v.Index(0))
	}
}
