package wire

import (
	"bytes"
	"testing"

	"radsec-gw/wire/dict"
)

// traffic is one exchange of a kind, as the gateway sees it.
type traffic struct {
	name     string
	request  []byte // from the client, signed with radsec
	reply    []byte // from the server, to a request with authenticator ra
	ra       [16]byte
	policy   RequestPolicy
	required bool
}

// exchanges makes the three kinds of traffic that a gateway mostly carries.
func exchanges(t testing.TB) []traffic {
	const server = "xyzzy5461xyzzy5461"
	ra := [16]byte(authenticator(90))
	salt := func(n byte) []byte { return salted(t, make([]byte, 32), 0x8000|uint16(n), server, ra[:]) }
	common := []pair{
		{1, []byte("nemo@example.org")}, {4, []byte{192, 0, 2, 1}}, {32, []byte("ap-17.example.org")}, {31, []byte("00-11-22-33-44-55")},
		{30, []byte("66-77-88-99-AA-BB:eduroam")}, {61, []byte{0, 0, 0, 19}}, {12, []byte{0, 0, 5, 120}}, {77, []byte("CONNECT 54Mbps 802.11g")},
	}
	with := func(more ...pair) []pair { return append(common[:len(common):len(common)], more...) }
	eap := bytes.Repeat([]byte{7}, 253)
	return []traffic{
		{"PAP",
			oracleSign(assemble(1, 7, authenticator(1), with(ma, pair{2, hidePassword(make([]byte, 16), "radsec", authenticator(1))}, pair{33, []byte("12")})...), nil, "radsec"),
			oracleSign(assemble(2, 1, nil, ma, pair{18, []byte("welcome")}, pair{25, []byte("class of nemo")}), ra[:], server),
			ra, everyCheck, true},
		{"EAP",
			oracleSign(assemble(1, 8, authenticator(1), with(pair{24, make([]byte, 16)}, pair{79, eap}, pair{79, eap}, pair{79, eap}, pair{79, eap[:60]}, ma)...), nil, "radsec"),
			oracleSign(assemble(11, 1, nil, pair{24, make([]byte, 16)}, pair{79, eap}, pair{79, eap}, pair{79, eap}, pair{79, eap}, ma), ra[:], server),
			ra, RequestPolicy{RequireEAPMA: true, VerifyRA: true}, true},
		{"EAP-accept",
			oracleSign(assemble(1, 8, authenticator(1), with(pair{24, make([]byte, 16)}, pair{79, eap[:50]}, ma)...), nil, "radsec"),
			oracleSign(assemble(2, 1, nil, pair{1, []byte("nemo@example.org")}, vsa(311, sub(17, salt(1))...), vsa(311, sub(16, salt(2))...), pair{79, []byte{3, 1, 0, 4}}, ma), ra[:], server),
			ra, RequestPolicy{RequireEAPMA: true, VerifyRA: true}, true},
		{"accounting",
			oracleSign(assemble(4, 9, nil, with(pair{40, []byte{0, 0, 0, 3}}, pair{44, []byte("5f2c-00a1")}, pair{42, make([]byte, 4)}, pair{43, make([]byte, 4)}, pair{46, make([]byte, 4)}, pair{55, make([]byte, 4)})...), nil, "radsec"),
			oracleSign(assemble(5, 1, nil), ra[:], server),
			ra, everyCheck, false},
	}
}

// steps are the five things done for an exchange, in their order.
type steps struct {
	x          traffic
	h          *Hasher
	client     *ClientSecret
	server     *ServerSecret
	req, reply View
	dst        []byte
}

func newSteps(t testing.TB, x traffic) *steps {
	s := &steps{x: x, h: NewHasher(), client: radSecSecret(), server: serverSecret(t, "xyzzy5461xyzzy5461"), dst: make([]byte, MaxLength)}
	s.reply = *parsed(t, x.reply)
	s.req = *parsed(t, x.request)
	return s
}

func (s *steps) all() []struct {
	name string
	do   func() error
} {
	return []struct {
		name string
		do   func() error
	}{
		{"parse", func() error { return s.req.Parse(s.x.request) }},
		{"verify-request", func() error { return s.h.VerifyRequest(&s.req, s.client, s.x.policy) }},
		{"write-request", func() error {
			_, err := s.h.WriteRequest(s.dst, &s.req, s.client, s.server, 1)
			return err
		}},
		{"verify-reply", func() error {
			return s.h.VerifyReply(&s.reply, s.req.Code(), &s.x.ra, s.server, s.x.required)
		}},
		{"write-reply", func() error {
			_, err := s.h.WriteReply(s.dst, &s.reply, &s.req, &s.x.ra, s.server, s.client)
			return err
		}},
	}
}

// Nothing on a packet's way allocates, hidden values, fragments and answers
// included.
func TestNothingAllocates(t *testing.T) {
	check := func(what string, do func() error) {
		t.Helper()
		if err := do(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if n := testing.AllocsPerRun(100, func() { _ = do() }); n != 0 {
			t.Errorf("%s: expected no allocation, got %v a run", what, n)
		}
	}
	for _, x := range exchanges(t) {
		s := newSteps(t, x)
		for _, step := range s.all() {
			check(x.name+" "+step.name, step.do)
		}
		check(x.name+" answer", func() error {
			_, err := s.h.WriteAnswer(s.dst, &s.req, Answer{Code: CodeProtocolError, ErrorCause: 502, OriginalCode: true, ReplyMessage: "no"}, s.client)
			return err
		})
	}
	x := exchanges(t)[2]
	hidden := salted(t, make([]byte, 200), 0x8001, "xyzzy5461xyzzy5461", x.ra[:])
	x.reply = assemble(2, 1, nil, append(splitWiMAX(5, hidden, 100), vsa(529, sub(214, make([]byte, 16))...), pair{69, append([]byte{0}, hidden...)})...)
	oracleSign(x.reply, x.ra[:], "xyzzy5461xyzzy5461")
	s := newSteps(t, x)
	check("fragments", s.all()[4].do)

	parts := splitWiMAX(5, hidden, 100)
	leap := vsa(9, sub(1, append([]byte(dict.LEAPPrefix), hidden[:34]...))...)
	mixed := []pair{
		parts[0], {241, []byte{3, 0, 0, 16, 0}}, leap, parts[1], parts[0], vsa(wimax, 5, 9, 0), vsa(9, 18, 99), vsa(41112, 5, 2), {79, []byte{3, 1, 0, 4}},
	}
	copy(leap.value[23:], salted(t, []byte("key"), 0x8001, "xyzzy5461xyzzy5461", x.ra[:]))
	x.reply = oracleSign(assemble(11, 1, nil, mixed...), x.ra[:], "xyzzy5461xyzzy5461")
	s = newSteps(t, x)
	check("parts apart and what is omitted", s.all()[4].do)
	modern := parsed11(t, assemble11(1, 9, mixed...))
	check("the same from RADIUS/1.1", func() error { _, err := s.h.WriteRequest(s.dst, modern, s.client, s.server, 1); return err })
	check("the same to RADIUS/1.1", func() error {
		_, err := s.h.WriteReply(s.dst, &s.reply, modern, &s.x.ra, s.server, s.client)
		return err
	})
	frame := func() error { _, err := Cut(x.request); return err }
	check("cut", frame)
}

func BenchmarkSteps(b *testing.B) {
	for _, x := range exchanges(b) {
		s := newSteps(b, x)
		for _, step := range s.all() {
			b.Run(x.name+"/"+step.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := step.do(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
