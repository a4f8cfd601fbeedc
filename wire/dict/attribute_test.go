package dict

import "testing"

// An attribute of a kind is of that kind in every column.
func TestAttributes(t *testing.T) {
	for name, want := range map[string]Attribute{
		"User-Name":            {Number: 1, Type: Text},
		"User-Password":        {Number: 2, Type: Text, Hidden: UserPassword, Secret: true},
		"CHAP-Password":        {Number: 3, Type: Octets, Secret: true},
		"Event-Timestamp":      {Number: 55, Type: Time},
		"Tunnel-Type":          {Number: 64, Type: Integer, Tagged: true},
		"Tunnel-Password":      {Number: 69, Type: Text, Hidden: Salted, Tagged: true, Secret: true},
		"EAP-Message":          {Number: 79, Type: Concat},
		"NAS-IPv6-Address":     {Number: 95, Type: IPv6Addr},
		"Response-Length":      {Number: 241, Sub: 3, Type: Integer},
		"MS-CHAP-MPPE-Keys":    {Vendor: 311, Number: 12, Type: Octets, Size: 24, Hidden: UserPassword, Secret: true},
		"MS-CHAP-Domain":       {Vendor: 311, Number: 10, Type: Text},
		"MS-CHAP-Challenge":    {Vendor: 311, Number: 11, Type: Octets, Secret: true}, // as all of a vendor that is not public
		"Lucent-Send-Secret":   {Vendor: 4846, Number: 214, Type: Text, Hidden: Ascend, Secret: true},
		"UBNT-Tunnel-Password": {Vendor: 41112, Number: 5, Sub: 2, Type: Text, Hidden: Salted, Secret: true},
	} {
		want.Name = name
		got := ByName(name)
		if got == nil {
			t.Errorf("%s is not in the dictionary", name)
			continue
		}
		if got.Vendor != want.Vendor || got.Number != want.Number || got.Sub != want.Sub || got.Type != want.Type || got.Size != want.Size || got.Hidden != want.Hidden || got.Tagged != want.Tagged || got.Secret != want.Secret {
			t.Errorf("expected %+v, got %+v", want, *got)
		}
	}
}

// A Cisco-AVPair is hidden when it carries a session key of LEAP, others are as
// their method says.
func TestIsHidden(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        bool
	}{
		{"Cisco-AVPair", "leap:session-key=", true},
		{"Cisco-AVPair", "Leap:Session-Key=xx", true},
		{"Cisco-AVPair", "leap:session-key", false},
		{"Cisco-AVPair", "shell:priv-lvl=15", false},
		{"Tunnel-Password", "", true},
		{"User-Name", LEAPPrefix, false},
	} {
		if got := ByName(c.name).IsHidden([]byte(c.value)); got != c.want {
			t.Errorf("%s %q: expected %t, got %t", c.name, c.value, c.want, got)
		}
	}
}
