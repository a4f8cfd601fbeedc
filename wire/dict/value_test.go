package dict

import (
	"slices"
	"testing"
)

func TestValues(t *testing.T) {
	a := ByName("Service-Type")
	if got := a.ValueName(2); got != "Framed-User" {
		t.Errorf("Service-Type 2: expected Framed-User, got %q", got)
	}
	if got := a.ValueName(999); got != "" {
		t.Errorf("Service-Type 999: expected no name, got %q", got)
	}
	if got, ok := a.ValueNumber("framed-user"); got != 2 || !ok {
		t.Errorf("Service-Type framed-user: expected 2, got %d, %t", got, ok)
	}
	if got, ok := a.ValueNumber("Nobody"); ok {
		t.Errorf("Service-Type Nobody: expected none, got %d", got)
	}
}

// Only integers have named values, and no name stands for two.
func TestValueNamesAreUnique(t *testing.T) {
	for a := range All() {
		if len(a.Values) > 0 && a.Type != Integer {
			t.Errorf("%s has named values, expected an integer", a.Name)
		}
		for i, v := range a.Values {
			if slices.ContainsFunc(a.Values[:i], func(w Value) bool { return w.Name == v.Name }) {
				t.Errorf("%s: %s is listed twice", a.Name, v.Name)
			}
		}
	}
}
