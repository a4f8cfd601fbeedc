package explain

import (
	"net/netip"
	"reflect"
	"testing"

	"radsec-gw/config"
)

// Each condition of a client is printed.
func TestConditionsOfAClient(t *testing.T) {
	none := conditions(&config.Client{}, true)
	for _, f := range reflect.VisibleFields(reflect.TypeFor[config.Client]()) {
		for _, part := range parts(f) {
			var c config.Client
			one(reflect.ValueOf(&c).Elem().FieldByIndex(part))
			printed := conditions(&c, true) != none
			if given := c.ByCertificate() || len(c.Networks) > 0 || c.PSKIdentity != ""; given != printed {
				t.Errorf("%s: a condition: %t, printed: %t", f.Name, given, printed)
			}
		}
	}
}

// parts returns the places of a field's own fields, or else its own.
func parts(f reflect.StructField) (places [][]int) {
	if f.Type != reflect.TypeFor[config.SANIP]() {
		return [][]int{f.Index}
	}
	for _, inside := range reflect.VisibleFields(f.Type) {
		places = append(places, append(f.Index[:1:1], inside.Index...))
	}
	return places
}

// one gives a field a value that is not zero; a list gets one element.
func one(v reflect.Value) {
	switch {
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.String:
		v.SetString("x")
	case v.CanInt():
		v.SetInt(1)
	case v.Type() == reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(netip.MustParseAddr("127.0.0.2")))
	case v.Type() == reflect.TypeFor[netip.Prefix]():
		v.Set(reflect.ValueOf(netip.MustParsePrefix("127.1.0.0/16")))
	case v.Type() == reflect.TypeFor[config.Secret]():
		v.Set(reflect.ValueOf(config.NewSecret("x")))
	default:
		panic("add how to set a " + v.Type().String())
	}
}
