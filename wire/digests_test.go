package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

// batchItem is one packet of a random batch: queue hands it to a Digests, and
// check checks the result after Run.
type batchItem struct {
	queue func(d *Digests) error
	check func(t *testing.T, name string, d *Digests)
}

// verified makes an item of a packet to verify: its result has to be the one
// that a Hasher gives.
func verified(now func() error, queue func(d *Digests) (Ticket, error)) batchItem {
	want := now()
	var ticket Ticket
	var early error
	return batchItem{
		func(d *Digests) error { ticket, early = queue(d); return early },
		func(t *testing.T, name string, d *Digests) {
			t.Helper()
			got := early
			if early == nil {
				got = d.Result(ticket)
			}
			if got != want {
				t.Fatalf("%s: expected %v, got %v", name, want, got)
			}
		}}
}

// written makes an item of a packet to write, signed under key; ra is what it
// answers, nil for a request.
func written(ra []byte, key string, queue func(d *Digests, dst []byte) (int, error)) batchItem {
	dst, n := make([]byte, MaxLength), 0
	return batchItem{
		func(d *Digests) (err error) { n, err = queue(d, dst); return err },
		func(t *testing.T, name string, _ *Digests) {
			t.Helper()
			oracleChecks(t, dst[:n], ra, key)
		}}
}

// randomItem draws an item: any of the five things done to packets, packets
// sometimes damaged, some with a Message-Authenticator over zeros.
func randomItem(t *testing.T, r *rand.Rand, h *Hasher) batchItem {
	clientKey, serverKey := "radsec", fmt.Sprintf("secret-%0*d", r.IntN(70), r.IntN(99))
	client, server := clientSecret(t, clientKey), serverSecret(t, serverKey)
	code := []Code{1, 4, 12, 40, 43}[r.IntN(5)]
	list := []pair{{1, someOctets(r, 60)}}
	for range r.IntN(6) {
		list = append(list, pair{25, someOctets(r, 253)})
	}
	if r.IntN(3) > 0 {
		list = append(list, ma, pair{33, someOctets(r, 20)})
	}
	request := oracleSign(assemble(code, byte(r.IntN(256)), authenticator(byte(r.IntN(256))), list...), nil, clientKey)
	what := r.IntN(5)
	if what == 0 {
		damage(r, request)
	}
	req := parsed(t, request)
	ra := [16]byte(authenticator(byte(r.IntN(256))))
	reply := replyTo(r, code, ra[:], serverKey, list)
	if what == 1 {
		damage(r, reply)
	}
	rep := parsed(t, reply)
	pol := RequestPolicy{RequireMA: r.IntN(4) == 0, VerifyRA: r.IntN(4) > 0}
	required := r.IntN(4) == 0
	switch {
	case what == 0:
		return verified(func() error { return h.VerifyRequest(req, client, pol) },
			func(d *Digests) (Ticket, error) { return d.VerifyRequest(req, client, pol) })
	case what == 1:
		return verified(func() error { return h.VerifyReply(rep, code, &ra, server, required) },
			func(d *Digests) (Ticket, error) { return d.VerifyReply(rep, code, &ra, server, required) })
	case what == 2 && code != 12:
		return written(nil, serverKey, func(d *Digests, dst []byte) (int, error) {
			return d.WriteRequest(dst, req, client, server, ServerID(r.IntN(256)))
		})
	case what == 3:
		return written(request[4:20], clientKey, func(d *Digests, dst []byte) (int, error) {
			return d.WriteReply(dst, rep, req, &ra, server, client)
		})
	default:
		return written(request[4:20], clientKey, func(d *Digests, dst []byte) (int, error) {
			return d.WriteAnswer(dst, req, Answer{Code: CodeProtocolError, ErrorCause: 502, ReplyMessage: "no"}, client)
		})
	}
}

// replyTo makes a signed reply, in which a Message-Authenticator may be over
// zeros (RFC 5176 §3.4 can be read so).
func replyTo(r *rand.Rand, request Code, ra []byte, key string, list []pair) []byte {
	codes := map[Code][]Code{1: {2, 3, 11}, 4: {5}, 12: {2, 5}, 40: {41, 42}, 43: {44, 45}}[request]
	b := assemble(codes[r.IntN(len(codes))], byte(r.IntN(256)), ra, list...)
	if r.IntN(2) == 0 {
		return oracleSign(b, ra, key)
	}
	mac := macOf(b, make([]byte, 16), key)
	for i := 20; i < len(b); i += int(b[i+1]) {
		if b[i] == 80 {
			copy(b[i+2:], mac)
		}
	}
	copy(b[4:20], md5Of(b, []byte(key)))
	return b
}

// damage alters one bit, half of the time, of what no framing depends on.
func damage(r *rand.Rand, b []byte) {
	at := 4 + r.IntN(16)
	if list := pairs(b); r.IntN(2) == 0 {
		at = 0
		value := list[r.IntN(len(list))].value
		value[r.IntN(len(value))] ^= 1 << r.IntN(8)
	} else if r.IntN(2) == 0 {
		b[at] ^= 1 << r.IntN(8)
	}
}

// Whatever is queued together, in whatever order, comes out as if it were alone.
// Rules: P18, P20, P21, P25, P46, P47, P50
func TestDigestsOfMixedBatches(t *testing.T) {
	h, d, seed := NewHasher(), NewDigests(), rand.Uint64()
	for round := range 600 {
		r := rand.New(rand.NewPCG(seed, uint64(round)))
		items := make([]batchItem, 1+round%MaxDigests)
		for i := range items {
			items[i] = randomItem(t, r, h)
			items[i].queue(d)
		}
		d.Run()
		for i := range items {
			items[i].check(t, fmt.Sprintf("seed %d round %d: packet %d of %d", seed, round, i, len(items)), d)
		}
	}
}

// A packet never counts as verified because of a mistake of the caller.
// Rules: P18
func TestDigestsBeforeRunHaveNoResults(t *testing.T) {
	d, client := NewDigests(), radSecSecret()
	good := parsed(t, oracleSign(assemble(4, 5, nil, pair{1, []byte("nemo")}), nil, "radsec"))
	plain := parsed(t, assemble(1, 5, nil, pair{1, []byte("nemo")}))
	for round := range 3 {
		for _, v := range []*View{good, plain} {
			ticket, err := d.VerifyRequest(v, client, everyCheck)
			if err != nil {
				t.Fatalf("round %d: VerifyRequest: %v", round, err)
			}
			if err := d.Result(ticket); err != ErrNotRun {
				t.Errorf("round %d, code %d, before Run: expected ErrNotRun, got %v", round, v.Code(), err)
			}
		}
		if err := d.Result(2); err != ErrNotRun {
			t.Errorf("round %d, a ticket that was never given: expected ErrNotRun, got %v", round, err)
		}
		if round == 1 {
			d.Reset()
			d.Run()
			if err := d.Result(0); err != ErrNotRun {
				t.Errorf("after Reset: expected ErrNotRun, got %v", err)
			}
			continue
		}
		d.Run()
		d.Run()
		for ticket := range Ticket(2) {
			if err := d.Result(ticket); err != nil {
				t.Errorf("round %d, ticket %d: expected no error, got %v", round, ticket, err)
			}
		}
	}
}

// A full queue accepts no packet, and a packet that is refused is not queued.
func TestDigestsFull(t *testing.T) {
	d, client, server := NewDigests(), radSecSecret(), serverSecret(t, "xyzzy5461")
	request := parsed(t, oracleSign(assemble(1, 5, authenticator(1), ma), nil, "radsec"))
	noMA, bad := parsed(t, assemble(12, 1, nil)), parsed(t, assemble(1, 1, nil, pair{2, []byte("short")}))
	ra, dst := [16]byte{}, make([]byte, MaxLength)
	for round := range 2 {
		for i := range MaxDigests {
			if d.Full() {
				t.Fatalf("round %d: full after %d packets", round, i)
			}
			if _, err := d.VerifyRequest(noMA, client, everyCheck); err != ErrNoMessageAuthenticator {
				t.Fatalf("expected ErrNoMessageAuthenticator, got %v", err)
			}
			if _, err := d.WriteRequest(dst, bad, client, server, 1); err != ErrUserPassword {
				t.Fatalf("expected ErrUserPassword, got %v", err)
			}
			if _, err := d.VerifyRequest(request, client, everyCheck); err != nil {
				t.Fatalf("round %d, packet %d: %v", round, i, err)
			}
		}
		if !d.Full() {
			t.Fatalf("round %d: not full after %d packets", round, MaxDigests)
		}
		clear(dst)
		_, err1 := d.VerifyRequest(request, client, everyCheck)
		_, err2 := d.VerifyReply(request, 1, &ra, server, false)
		_, err3 := d.WriteRequest(dst, request, client, server, 1)
		_, err4 := d.WriteReply(dst, request, request, &ra, server, client)
		_, err5 := d.WriteAnswer(dst, request, Answer{Code: 3}, client)
		for i, err := range []error{err1, err2, err3, err4, err5} {
			if err != ErrFull {
				t.Errorf("call %d: expected ErrFull, got %v", i+1, err)
			}
		}
		if !bytes.Equal(dst, make([]byte, MaxLength)) {
			t.Error("a refused packet was written")
		}
		d.Run()
		if d.Full() {
			t.Error("full after Run")
		}
	}
}

// The octets of a View may be copied elsewhere and the View used again at once,
// and so may authenticators: only packets have to stay.
func TestDigestsKeepOnlyPackets(t *testing.T) {
	d, server := NewDigests(), serverSecret(t, "xyzzy5461")
	ra := [16]byte(authenticator(7))
	reply := oracleSign(assemble(5, 1, nil, ma), ra[:], "xyzzy5461")
	v := parsed(t, reply)
	ticket, err := d.VerifyReply(v, 4, &ra, server, false)
	if err != nil {
		t.Fatal(err)
	}
	*v, ra = View{}, [16]byte{}
	d.Run()
	if err := d.Result(ticket); err != nil {
		t.Errorf("expected no error, got %v", err)
	}
}

func TestDigestsDoNotAllocate(t *testing.T) {
	for _, x := range exchanges(t) {
		for _, count := range []int{1, 8, MaxDigests} {
			for _, step := range newBatch(t, x, count).each() {
				step.run() // the memory for copies grows
				if n := testing.AllocsPerRun(50, step.run); n != 0 {
					t.Errorf("%s %s of %d packets: expected no allocation, got %v", x.name, step.name, count, n)
				}
			}
		}
	}
}

// batch does one step of an exchange with count packets at a time.
type batch struct {
	*steps
	t     testing.TB
	d     *Digests
	count int
	dsts  [MaxDigests][]byte
}

func newBatch(t testing.TB, x traffic, count int) *batch {
	b := &batch{steps: newSteps(t, x), t: t, d: NewDigests(), count: count}
	for i := range b.dsts {
		b.dsts[i] = make([]byte, MaxLength)
	}
	return b
}

type batchStep struct {
	name string
	run  func()
	one  func() error // what a Hasher does with one packet
}

func (b *batch) each() []batchStep {
	one := b.all()
	verify := func(queue func() (Ticket, error)) func() {
		return func() {
			for range b.count {
				if _, err := queue(); err != nil {
					b.t.Fatal(err)
				}
			}
			b.d.Run()
			for i := range b.count {
				if err := b.d.Result(Ticket(i)); err != nil {
					b.t.Fatal(err)
				}
			}
		}
	}
	write := func(queue func(dst []byte) (int, error)) func() {
		return func() {
			for i := range b.count {
				if _, err := queue(b.dsts[i]); err != nil {
					b.t.Fatal(err)
				}
			}
			b.d.Run()
		}
	}
	return []batchStep{
		{"verify-request", verify(func() (Ticket, error) { return b.d.VerifyRequest(&b.req, b.client, b.x.policy) }), one[1].do},
		{"write-request", write(func(dst []byte) (int, error) { return b.d.WriteRequest(dst, &b.req, b.client, b.server, 1) }), one[2].do},
		{"verify-reply", verify(func() (Ticket, error) {
			return b.d.VerifyReply(&b.reply, b.req.Code(), &b.x.ra, b.server, b.x.required)
		}), one[3].do},
		{"write-reply", write(func(dst []byte) (int, error) {
			return b.d.WriteReply(dst, &b.reply, &b.req, &b.x.ra, b.server, b.client)
		}), one[4].do},
	}
}

// BenchmarkBatch gives the time a packet takes among count of them; the Hasher
// beside it takes them one by one.
func BenchmarkBatch(b *testing.B) {
	for _, x := range exchanges(b) {
		for _, step := range newBatch(b, x, 1).each() {
			b.Run(x.name+"/"+step.name+"/hasher", func(b *testing.B) {
				for b.Loop() {
					if err := step.one(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		for _, count := range []int{1, 4, 8, 16, 32} {
			for _, step := range newBatch(b, x, count).each() {
				b.Run(fmt.Sprintf("%s/%s/%d", x.name, step.name, count), func(b *testing.B) {
					for b.Loop() {
						step.run()
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/packet")
				})
			}
		}
	}
}

// Reset forgets what is queued, its memory included.
func TestResetForgets(t *testing.T) {
	d, s := NewDigests(), radSecSecret()
	v := parsed(t, assemble(1, 7, authenticator(1), ma, pair{18, make([]byte, 253)}))
	round := func() {
		if _, err := d.VerifyRequest(v, s, RequestPolicy{}); err != nil {
			t.Fatal(err)
		}
		d.Reset()
	}
	round()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10000 {
		round()
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("10000 packets queued and forgotten: expected the same memory again, %d bytes were allocated", grown)
	}
}
