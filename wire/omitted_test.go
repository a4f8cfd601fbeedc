package wire

import "testing"

// What a packet goes without is noted by why, the first attribute by name, until the
// next packet is written; what ends at this hop is not.
// Rules: P8, P15, P35
func TestOmitted(t *testing.T) {
	d, dst := NewDigests(), make([]byte, MaxLength)
	client, server := RadSecSecret(), serverSecret(t, key11)
	eap, password := pair{79, []byte{2, 1, 0, 4}}, pair{2, make([]byte, 129)}
	ra := [16]byte(authenticator(3))
	ask := func(v *View, o *RequestOptions) {
		t.Helper()
		if _, err := d.WriteRequestWith(dst, v, client, server, 1, o); err != nil {
			t.Fatal(err)
		}
	}
	answer := func(reply *View, req *View) {
		t.Helper()
		if _, err := d.WriteReply(dst, reply, req, &ra, server, client); err != nil {
			t.Fatal(err)
		}
	}
	access, access11 := parsed(t, assemble(1, 1, nil, eap)), parsed11(t, assemble11(1, 1, eap))
	for _, c := range []struct {
		name  string
		write func()
		want  [NumOmissions]int
		first string // of the first reason
	}{
		{"a request", func() { ask(access, &RequestOptions{ProxyState: []byte("fits")}) }, [NumOmissions]int{}, ""},
		{"a marker without room", func() {
			ask(parsed(t, assemble(1, 1, nil, filling(19, 4096-20-18-9)...)), &RequestOptions{ProxyState: make([]byte, 8)})
		}, [NumOmissions]int{OmittedMarker: 1}, "Proxy-State"},
		{"a marker with room", func() {
			ask(parsed(t, assemble(1, 1, nil, filling(19, 4096-20-18-10)...)), &RequestOptions{ProxyState: make([]byte, 8)})
		}, [NumOmissions]int{}, ""},
		{"two passwords beside EAP", func() { ask(parsed(t, assemble(1, 1, nil, password, eap, password)), &RequestOptions{}) },
			[NumOmissions]int{OmittedPassword: 2}, "User-Password"},
		{"the same in RADIUS/1.1", func() { ask(parsed11(t, assemble11(1, 1, password, eap, password)), &RequestOptions{}) },
			[NumOmissions]int{OmittedPassword: 2}, "User-Password"},
		{"a request of RADIUS/1.1", func() { ask(access11, &RequestOptions{}) }, [NumOmissions]int{}, ""},
		{"EAP in accounting and a broken key", func() {
			ask(parsed11(t, assemble11(4, 1, vsa(311, 17, 99), vsa(9, 17, 99), eap, pair{80, nil}, pair{33, nil})), &RequestOptions{})
		}, [NumOmissions]int{OmittedUnreadable: 2, OmittedEAP: 1}, "MS-MPPE-Recv-Key"},
		{"a reply", func() { answer(parsed(t, assemble(2, 1, nil, pair{18, []byte("x")}, pair{33, nil})), access) }, [NumOmissions]int{}, ""},
		{"keys in clear for RADIUS/1.1", func() {
			answer(parsed(t, assemble(2, 1, nil, pair{69, []byte("\x01clear")}, pair{214, nil}, vsa(41112, sub(5, sub(3, []byte("x")))...))), access11)
		}, [NumOmissions]int{OmittedUnreadable: 3}, "Tunnel-Password"},
		{"the same for RADIUS/1.0", func() {
			answer(parsed(t, assemble(2, 1, nil, pair{69, []byte("\x01clear")}, pair{214, nil})), access)
		}, [NumOmissions]int{}, ""},
		{"EAP in an Accounting-Response", func() { answer(parsed(t, assemble(5, 1, nil, eap)), parsed(t, assemble(4, 1, nil))) },
			[NumOmissions]int{OmittedEAP: 1}, "EAP-Message"},
		{"the reply behind it", func() { answer(parsed(t, assemble(5, 1, nil)), parsed11(t, assemble11(4, 1))) }, [NumOmissions]int{}, ""},
	} {
		c.write()
		list := d.Omitted()
		if list == nil {
			list = new([NumOmissions]Omitted)
		} else if c.first == "" {
			t.Errorf("%s: something is omitted: %v", c.name, *list)
		}
		for why := range NumOmissions {
			if list[why].Count != c.want[why] {
				t.Errorf("%s: %v: expected %d, got %d", c.name, why, c.want[why], list[why].Count)
			}
			if c.first != "" && list[why].Count > 0 {
				if got := list[why].Name(); got != c.first {
					t.Errorf("%s: expected %s first, got %s", c.name, c.first, got)
				}
				c.first = ""
			}
		}
	}
}
