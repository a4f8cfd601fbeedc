package wire

import "testing"

// omitter writes packets with one Digests, so that what was omitted from the previous
// one must not show.
type omitter struct {
	t        *testing.T
	d        *Digests
	dst      []byte
	client   *ClientSecret
	server   *ServerSecret
	ra       [16]byte
	access   *View // an Access-Request with an EAP-Message
	access11 *View // the same of RADIUS/1.1
}

func newOmitter(t *testing.T) *omitter {
	o := &omitter{t: t, d: NewDigests(), dst: make([]byte, MaxLength), client: radSecSecret(), server: serverSecret(t, key11), ra: [16]byte(authenticator(3))}
	o.access, o.access11 = parsed(t, assemble(1, 1, nil, eapPair)), parsed11(t, assemble11(1, 1, eapPair))
	return o
}

func (o *omitter) request(v *View, proxyState string) {
	o.t.Helper()
	if _, err := o.d.WriteRequestWith(o.dst, v, o.client, o.server, 1, &RequestOptions{ProxyState: []byte(proxyState)}); err != nil {
		o.t.Fatal(err)
	}
}

func (o *omitter) reply(req *View, code Code, list ...pair) {
	o.t.Helper()
	if _, err := o.d.WriteReply(o.dst, parsed(o.t, assemble(code, 1, nil, list...)), req, &o.ra, o.server, o.client); err != nil {
		o.t.Fatal(err)
	}
}

var eapPair, longPassword = pair{79, []byte{2, 1, 0, 4}}, pair{2, make([]byte, 129)}

// omissionCases write a packet each, in this order.
var omissionCases = []struct {
	name  string
	write func(o *omitter)
	want  [NumOmissions]int
	first string // of the first reason
}{
	{"a request", func(o *omitter) { o.request(o.access, "fits") }, [NumOmissions]int{}, ""},
	{"a marker that does not fit", func(o *omitter) {
		o.request(parsed(o.t, assemble(1, 1, nil, filling(19, 4096-20-18-9)...)), "8 octets")
	}, [NumOmissions]int{OmittedMarker: 1}, "Proxy-State"},
	{"a marker that fits", func(o *omitter) {
		o.request(parsed(o.t, assemble(1, 1, nil, filling(19, 4096-20-18-10)...)), "8 octets")
	}, [NumOmissions]int{}, ""},
	{"two passwords beside EAP", func(o *omitter) { o.request(parsed(o.t, assemble(1, 1, nil, longPassword, eapPair, longPassword)), "") },
		[NumOmissions]int{OmittedPassword: 2}, "User-Password"},
	{"the same in RADIUS/1.1", func(o *omitter) { o.request(parsed11(o.t, assemble11(1, 1, longPassword, eapPair, longPassword)), "") },
		[NumOmissions]int{OmittedPassword: 2}, "User-Password"},
	{"a request of RADIUS/1.1", func(o *omitter) { o.request(o.access11, "") }, [NumOmissions]int{}, ""},
	{"EAP in accounting and a broken key", func(o *omitter) {
		o.request(parsed11(o.t, assemble11(4, 1, vsa(311, 17, 99), vsa(9, 17, 99), eapPair, pair{80, nil}, pair{33, nil})), "")
	}, [NumOmissions]int{OmittedUnreadable: 2, OmittedEAP: 1}, "MS-MPPE-Recv-Key"},
	{"a reply", func(o *omitter) { o.reply(o.access, 2, pair{18, []byte("x")}, pair{33, nil}) }, [NumOmissions]int{}, ""},
	{"keys in clear for RADIUS/1.1", func(o *omitter) {
		o.reply(o.access11, 2, pair{69, []byte("\x01clear")}, pair{214, nil}, vsa(41112, sub(5, sub(3, []byte("x")))...))
	}, [NumOmissions]int{OmittedUnreadable: 3}, "Tunnel-Password"},
	{"the same for RADIUS/1.0", func(o *omitter) { o.reply(o.access, 2, pair{69, []byte("\x01clear")}, pair{214, nil}) }, [NumOmissions]int{}, ""},
	{"EAP in an Accounting-Response", func(o *omitter) { o.reply(parsed(o.t, assemble(4, 1, nil)), 5, eapPair) },
		[NumOmissions]int{OmittedEAP: 1}, "EAP-Message"},
	{"the next reply", func(o *omitter) { o.reply(parsed11(o.t, assemble11(4, 1)), 5) }, [NumOmissions]int{}, ""},
}

// What is omitted from a packet is counted by reason, the first attribute by name, until
// the next packet is written; what belongs to one hop is not counted.
// Rules: P8, P15, P35
func TestOmitted(t *testing.T) {
	o := newOmitter(t)
	for _, c := range omissionCases {
		c.write(o)
		list := o.d.Omitted()
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
