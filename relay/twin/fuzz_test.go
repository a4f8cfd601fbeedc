package twin_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"radsec-gw/relay/twin"
)

// raw, in the first octet of the data, says that the rest is the octets of a packet.
const raw = 0x80

// begin opens a session selected by the first octet of the data.
func begin(t testing.TB, g *gen) (s *session, isRaw bool) {
	how := g.next()
	b := testbeds()
	return open(t, b[int(how&^raw>>1)%len(b)], how&1 == 1), how&raw != 0
}

// runRequest sends one request, and has the server answer it simply.
func runRequest(t testing.TB, data []byte) {
	g := &gen{data}
	s, isRaw := begin(t, g)
	defer s.close()
	if isRaw {
		s.ask(rawRequest(g.data))
	} else {
		s.ask(g.request(s))
	}
	s.answerAll(plain)
}

// rawRequest returns data as a request, signed when it is a packet.
func rawRequest(data []byte) []byte {
	p := sized(data)
	if _, ok := twin.Parse(p); ok {
		computed := p[0] == 4 || p[0] == 40 || p[0] == 43
		vector := [16]byte(p[4:20])
		if computed {
			vector = [16]byte{}
		}
		twin.Sign(p, vector, computed, clientText)
	}
	return p
}

// sized returns data with the right Length, at least a header.
func sized(data []byte) []byte {
	p := append(slices.Clone(data[:min(len(data), 4096)]), make([]byte, max(0, 20-len(data)))...)
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	return p
}

// plain returns a reply with no attributes but a Message-Authenticator.
func plain(f *flight) []byte {
	return signed(f, map[byte]byte{1: 2, 4: 5, 40: 41, 43: 44}[f.sent[0]], attr(80, make([]byte, 16)...))
}

// signed returns a valid reply of a server to what it was sent.
func signed(f *flight, code byte, list ...twin.Attr) []byte {
	r := twin.Assemble(code, f.sent[1], [16]byte{}, list)
	twin.Sign(r, [16]byte(f.sent[4:20]), true, f.from.server.secret)
	return r
}

// answerAll has the servers answer every request.
func (s *session) answerAll(reply func(f *flight) []byte) {
	for range 3 { // a request may move to another server
		for _, f := range s.flights {
			if f.waits && f.sent != nil && !s.over {
				s.answer(f, reply(f))
			}
		}
	}
}

// runReply sends one of a few requests, and answers it in any way.
func runReply(t testing.TB, data []byte) {
	g := &gen{data}
	s, isRaw := begin(t, g)
	defer s.close()
	if isRaw && len(g.data) > 0 {
		code := map[byte]byte{5: 4, 41: 40, 42: 40, 44: 43, 45: 43}[g.data[0]]
		s.ask(ask(max(code, 1), mac, text(1, "nemo@example.org"), attr(33, 7)))
		s.answerAll(func(f *flight) []byte {
			if _, ok := twin.Parse(sized(g.data)); !ok {
				return sized(g.data)
			}
			list, _ := twin.Parse(sized(g.data))
			return signed(f, g.data[0], list...)
		})
		s.answerAll(plain)
		return
	}
	code := pick[byte](g, 1, 1, 1, 4, 40, 43)
	ra := [16]byte(g.octets(16))
	list := []twin.Attr{attr(80, make([]byte, 16)...), text(1, "nemo@example.org"), attr(33, 1, 2, 3), attr(79, 2, 9, 0, 4), attr(33), attr(33, g.octets(g.n(254))...)}
	if how := g.n(4); how > 0 {
		list = list[how-1:]
	}
	if list[0].T != 80 {
		list = []twin.Attr{list[0]}
	}
	p := twin.Assemble(code, g.next(), ra, list)
	if code != 1 {
		ra = [16]byte{}
	}
	twin.Sign(p, ra, code != 1, clientText)
	s.ask(p)
	for range 2 {
		for _, f := range s.flights {
			if f.sent != nil && !s.over {
				s.answer(f, g.reply(f, s.v11))
			}
		}
	}
	s.answerAll(plain)
}

// runConversation has several requests and replies, in any order.
func runConversation(t testing.TB, data []byte) {
	g := &gen{data}
	s, _ := begin(t, g)
	defer s.close()
	var asked [][]byte
	for turn := 0; turn < 12 && len(g.data) > 0 && !s.over; turn++ {
		var waiting []*flight
		for _, f := range s.flights {
			if f.sent != nil {
				waiting = append(waiting, f)
			}
		}
		switch n := g.n(10); {
		case n < 3 || len(asked) == 0:
			asked = append(asked, g.request(s))
			s.ask(asked[len(asked)-1])
		case n == 3: // a burst
			burst := [][]byte{g.request(s), asked[g.n(len(asked))], g.request(s)}
			asked = append(asked, burst...)
			s.ask(burst...)
		case n == 4: // a repetition
			s.ask(asked[g.n(len(asked))])
		case len(waiting) == 0:
		case n == 5: // a reply to another request, a forged one, random octets, and perhaps a valid one
			f, other := waiting[g.n(len(waiting))], waiting[g.n(len(waiting))]
			list := [][]byte{g.octets(g.n(60))}
			if other != f {
				wrong := signed(other, 2)
				wrong[1] = f.sent[1]
				list = append(list, wrong)
			}
			s.answer(f, append(list, g.reply(f, s.v11))...)
		case n == 6:
			f := waiting[g.n(len(waiting))]
			s.answer(f, signed(f, 52, attr(80, make([]byte, 16)...), integer(101, pick[uint32](g, 502, 505, 506, 404))))
		default:
			f := waiting[g.n(len(waiting))]
			s.answer(f, g.reply(f, s.v11))
		}
	}
	s.answerAll(plain)
}

var runs = []struct {
	name string
	run  func(testing.TB, []byte)
	most int // octets of data
}{
	{"request", runRequest, 200},
	{"reply", runReply, 200},
	{"conversation", runConversation, 900},
}

// Random conversations; a failure names its seed.
// Rules: P5, P6, P8, P10, P11, P12, P13, P14, P15, P16, P18, P20, P21, P22, P23, P30, P31, P32, P34, P35, P36, P37, P38, P39, P40, P41, P42, P43, P44, P45, P46, P47, P48, P49, P50
// Rules: P60, P61, P64, P65, P71, P75, P76, P96, P97, P98, P99, P122, P125, P126, P127, P128, P129, P131, C1, C3, C5
func TestTwinAgrees(t *testing.T) {
	clear(outcomes)
	for _, r := range runs {
		for range 2000 {
			seed := rand.Uint64()
			data := randomData(seed, r.most)
			if !agrees(t, fmt.Sprintf("%s, seed %d", r.name, seed), func(t testing.TB) { r.run(t, data) }) {
				return
			}
		}
	}
	t.Log(outcomes)
	for _, name := range []string{"relayed", "refused", "not routable", "looped", "closed", "discarded", "status answered", "duplicate", "repeated", "superseded",
		"reply relayed", "reply refused", "reply lost", "moved", "passed on"} {
		if outcomes[name] < 5 {
			t.Errorf("%q happened %d times, so nothing was tested", name, outcomes[name])
		}
	}
}

func randomData(seed uint64, most int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, rnd.IntN(most))
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	return data
}

func agrees(t *testing.T, name string, f func(testing.TB)) bool {
	return t.Run(name, func(t *testing.T) { f(t) })
}

// seeds adds random data of several lengths, and the published packets.
func seeds(f *testing.F, most int) {
	for seed := range uint64(100) {
		f.Add(randomData(seed, most))
	}
	text, err := os.ReadFile("../../wire/testdata/vectors.md")
	if err != nil {
		f.Fatal(err)
	}
	block := regexp.MustCompile("(?m)^```[\\w.-]+\n((?:[0-9a-f]{2}[ \n])+)```")
	for i, m := range block.FindAllSubmatch(text, -1) {
		b, err := hex.DecodeString(strings.Join(strings.Fields(string(m[1])), ""))
		if err != nil {
			f.Fatal(err)
		}
		for v11 := range byte(2) {
			f.Add(append([]byte{raw | byte(i%3)<<1 | v11}, b...))
		}
	}
}

// Rules: P5, P8, P10, P15, P35, P38, P42, P46, P126, P127, P128
func FuzzRelayRequest(f *testing.F) {
	seeds(f, 200)
	f.Fuzz(func(t *testing.T, data []byte) { runRequest(t, data) })
}

// Rules: P8, P10, P15, P22, P30, P38, P39, P40, P50, P97, P125, P127
func FuzzRelayReply(f *testing.F) {
	seeds(f, 200)
	f.Fuzz(func(t *testing.T, data []byte) { runReply(t, data) })
}

// Rules: P21, P26, P60, P61, P64, P65, P97, P122, P124
func FuzzConversation(f *testing.F) {
	seeds(f, 900)
	f.Fuzz(func(t *testing.T, data []byte) { runConversation(t, data) })
}
