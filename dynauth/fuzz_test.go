package dynauth

import (
	"log/slog"
	"testing"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

// total returns how many datagrams have a fate.
func total(t *testing.T, b *bed) (n float64) {
	families, err := b.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "radsec_gw_reverse_requests_total" {
			for _, m := range f.Metric {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

// Whatever arrives by UDP, signed by its sender or not, gets exactly one fate, or is sent down to
// a NAS as a well-formed packet that is signed for it; and whatever the NAS answers, the sender
// gets at most one packet, which verifies.
//
// Rules: RC4, RC12, RC19
func FuzzHandle(f *testing.F) {
	good := must(packet(radius.CodeDisconnectRequest, 1, senderSecret, session("s")).Encode())
	f.Add(good, true, []byte{41}, false)
	f.Add(good, false, []byte{42, 101, 6, 0, 0, 1, 0xf7}, true)
	f.Add(must(packet(radius.CodeCoARequest, 1, senderSecret, nasID("ap"), attr{33, "p"}, attr{241, "\x08x"}, attr{126, "1a"}).Encode()), true, []byte{44}, false)
	f.Add([]byte{43, 1, 0, 22}, true, []byte{52}, true)
	b, handled := newBed(f), 0
	b.s.log = slog.New(slog.DiscardHandler)
	f.Fuzz(func(t *testing.T, octets []byte, sign bool, answer []byte, v11only bool) {
		b.t, b.s.dups = t, duplicates{last: map[dupKey]uint64{}}
		handled++
		if handled%256 == 0 { // the metrics are slow
			defer func() {
				if n := total(t, b); int(n) != handled {
					t.Fatalf("%v fates of %d datagrams", n, handled)
				}
			}()
		}
		l := b.open("a", func(c *LinkConfig) { c.V11 = v11only })
		defer l.Close() // which gives what is not answered its fate
		l.login(session("s"), nasID("ap"))
		var v wire.View
		if n, err := wire.Cut(octets); sign && err == nil && n > 0 && v.Parse(octets[:n]) == nil {
			wire.NewHasher().SignRequest(octets[:n], must(wire.NewServerSecret([]byte(senderSecret))))
		}
		if len(octets) > datagram.MaxSize {
			octets = octets[:datagram.MaxSize]
		}
		b.put(senderAddress, gatewayAddr, octets)
		down := l.got()
		if len(down) > 1 {
			t.Fatalf("%d packets are sent down", len(down))
		}
		if len(down) == 0 {
			checkNAK(t, b, octets)
			return
		}
		if !v11only && !radius.IsAuthenticRequest(down[0], []byte("radsec")) || wire.KindOf(wire.Code(down[0][0])) != wire.KindOf(wire.Code(octets[0])) {
			t.Fatalf("the NAS is sent % x", down[0])
		}
		b.answers()
		answerWith(t, l, down[0], answer)
		if list := b.answers(); len(list) > 1 || len(list) == 1 && !radius.IsAuthenticResponse(list[0].packet, octets[:int(octets[2])<<8|int(octets[3])], []byte(senderSecret)) {
			t.Fatalf("the sender gets %v", list)
		}
	})
}

// checkNAK has what the sender got be nothing, or a NAK that verifies.
func checkNAK(t *testing.T, b *bed, octets []byte) {
	for _, a := range b.answers() {
		if n := int(octets[2])<<8 | int(octets[3]); !radius.IsAuthenticResponse(a.packet, octets[:n], []byte(senderSecret)) || wire.Answers(wire.Code(octets[0]), wire.Code(a.packet[0])) == false {
			t.Fatalf("the sender gets % x", a.packet)
		}
	}
}

// answerWith has the client answer a request with a Code, attributes as given and a signature.
func answerWith(t *testing.T, l *link, request, answer []byte) {
	if len(answer) == 0 {
		return
	}
	r := reply11(request, answer[0], answer[1:]...)
	if len(r) > wire.MaxLength {
		return
	}
	var v wire.View
	if v.Parse(r) != nil {
		return
	}
	if !l.V11 {
		r[1] = request[1]
		copy(r[4:20], request[4:20])
		if p, err := radius.Parse(r, []byte("radsec")); err == nil && wire.IsReply(v.Code()) {
			p.Authenticator = [16]byte(request[4:20])
			if signed, err := p.Encode(); err == nil {
				r = signed
			}
		}
	}
	for _, o := range l.reply(r) {
		if o.Fate >= metrics.NumFates {
			t.Fatalf("fate %d", o.Fate)
		}
	}
}
