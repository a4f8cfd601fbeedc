package udpback

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/udpback/datagram"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/wire"
)

// gathering is an owner whose answers a connection gathers until it is flushed.
type gathering struct {
	*owner
	client *wire.View // the client's request; nil: the server's reply is passed on as it is
	secret *wire.ClientSecret
	to     *gathered
}

// gathered is a connection's side of a batch.
type gathered struct {
	packets [][]byte
	flushes []int // how many packets were there each time
}

func (d *gathered) Flush() { d.flushes = append(d.flushes, len(d.packets)) }

func (g *gathering) Reply(d *wire.Digests, dst []byte, reply *wire.View, sent *[16]byte, from Hop) int {
	if g.client == nil {
		return copy(dst, reply.Packet)
	}
	n, err := d.WriteReply(dst, reply, g.client, sent, from.Secret, g.secret)
	if err != nil {
		panic(err)
	}
	return n
}

func (g *gathering) Deliver(packet []byte, touched *Touched) {
	g.owner.Deliver(packet, touched)
	g.to.packets = append(g.to.packets, bytes.Clone(packet))
	touched.Add(g.to)
}

func (g *gathering) Fail(h *wire.Hasher, why Failure, cause uint32, touched *Touched) {
	g.owner.Fail(h, why, cause, touched)
	touched.Add(g.to)
}

// inboxOf is what one system call has received.
func inboxOf(all ...[]byte) *datagram.Inbox {
	in := new(datagram.Inbox)
	for _, b := range all {
		in.Append(b)
	}
	return in
}

// longAnswer returns a valid answer of 4096 octets that contains the number n.
func longAnswer(t *testing.T, request []byte, n int) []byte {
	t.Helper()
	p, err := radius.Parse(request, []byte(secretText))
	if err != nil {
		t.Fatal(err)
	}
	r := p.Response(radius.CodeAccessAccept)
	for left := wire.MaxLength - 20; left > 0; {
		size := min(left, 250)
		r.Add(rfc2865.ReplyMessage_Type, bytes.Repeat([]byte{byte(n)}, size-2))
		left -= size
	}
	b, err := r.Encode()
	if err != nil || len(b) != wire.MaxLength {
		t.Fatalf("an answer of %d octets, expected %d: %v", len(b), wire.MaxLength, err)
	}
	return b
}

// A batch of datagrams, wrong ones among them: each request has its own answer, whole
// and signed for its client, though together they are longer than the arena; and the
// connection is flushed when all are delivered.
// Rules: P2, P21, P64
func TestBatchOfReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		g := f.group(t, Failover, s)
		secret, packet, view := radsecClient(t)
		pass(100 * time.Second)
		d := new(gathered)
		const n = 24
		batch := f.backend.AcquireBatch()
		for i := range n {
			o := &gathering{owner: newOwner(radius.CodeAccessRequest), to: d, secret: secret}
			o.Handler = o
			if i%3 == 1 { // those between are passed on, and long
				o.client = view
			}
			if err := g.Start(&o.Exchange, batch); err != nil {
				t.Fatal(err)
			}
		}
		batch.Flush()
		f.backend.ReleaseBatch(batch)
		pass(1500 * time.Millisecond)
		sent := f.net.seen("a:1812")
		in, want := shortAndLong(t, sent[:n])
		forged := bytes.Clone(in[3])
		forged[10] ^= 1
		before := [][]byte{{2, 0, 0}, {}, forged, answer(t, sent[2].octets, radius.CodeAccountingResponse)}
		in = append(append(before, in...), in[n-1], answer(t, sent[5].octets, radius.CodeAccessAccept))
		socket := s.endpoint(wire.KindAccess).sockets.all()[0]
		socket.handle(inboxOf(in...))
		if len(d.packets) != n {
			t.Fatalf("%d answers handed over, expected %d", len(d.packets), n)
		}
		for i, b := range d.packets {
			switch {
			case i%3 != 1 && string(b) != want[i]:
				t.Errorf("answer %d is not the server's", i)
			case i%3 == 1 && (b[0] != byte(radius.CodeAccessReject) || !radius.IsAuthenticResponse(b, packet, []byte("radsec"))):
				t.Errorf("answer %d is not signed for the client", i)
			}
		}
		if len(d.flushes) != 1 || d.flushes[0] != n {
			t.Errorf("flushed with %v answers handed over, expected once, after the last of %d", d.flushes, n)
		}
		f.expectReplies(t, n)
		// The next batch begins with nothing of the last in it.
		o := &gathering{owner: newOwner(radius.CodeAccessRequest), to: new(gathered)}
		o.Handler = o
		f.startHandler(t, g, &o.Exchange)
		last := f.net.seen("a:1812")
		socket.handle(inboxOf(answer(t, last[len(last)-1].octets, radius.CodeAccessAccept)))
		if len(o.to.packets) != 1 || len(o.to.flushes) != 1 || len(d.flushes) != 1 {
			t.Errorf("the next batch: %d answers, %d flushes, %d of the last batch's connection; expected 1 of each",
				len(o.to.packets), len(o.to.flushes), len(d.flushes))
		}
	})
}

// radsecClient returns the secret of a client, and a request of its.
func radsecClient(t *testing.T) (secret *wire.ClientSecret, packet []byte, view *wire.View) {
	t.Helper()
	secret, err := wire.NewClientSecret([]byte("radsec"))
	if err != nil {
		t.Fatal(err)
	}
	client := radius.New(radius.CodeAccessRequest, []byte("radsec"))
	packet, err = client.Encode()
	if err != nil {
		t.Fatal(err)
	}
	view = new(wire.View)
	if err := view.Parse(packet); err != nil {
		t.Fatal(err)
	}
	return secret, packet, view
}

// shortAndLong returns right answers to requests, every third short and the others long,
// and the same as strings.
func shortAndLong(t *testing.T, sent []transmission) (in [][]byte, want []string) {
	t.Helper()
	for i := range sent {
		b := longAnswer(t, sent[i].octets, i)
		if i%3 == 1 {
			b = answer(t, sent[i].octets, radius.CodeAccessReject)
		}
		in, want = append(in, b), append(want, string(b))
	}
	return in, want
}

// expectReplies checks what is counted of a batch of n right answers after 1.5 s, and of
// what TestBatchOfReplies puts beside them.
func (f *fixture) expectReplies(t *testing.T, n int) {
	t.Helper()
	for result, want := range map[string]float64{"accepted": float64(n), "malformed": 2, "bad_response_authenticator": 1, "wrong_code": 1, "unmatched": 2} {
		if got := f.count(t, "radsec_gw_server_replies_total", "result", result); got != want {
			t.Errorf("%v replies counted as %s, expected %v", got, result, want)
		}
	}
	count, sum := f.replyTimes(t, "auth")
	if all := 1.5 * float64(n); int(count) != n || sum < all-0.01 || sum > all+0.01 {
		t.Errorf("%d reply times of %v s together, expected %d of 1.5 s", count, sum, n)
	}
}

// startHandler starts an exchange that has another Handler than its owner.
func (f *fixture) startHandler(t *testing.T, g *Group, ex *Exchange) {
	t.Helper()
	b := f.backend.AcquireBatch()
	defer f.backend.ReleaseBatch(b)
	if err := g.Start(ex, b); err != nil {
		t.Fatal(err)
	}
	b.Flush()
}

// replyTimes returns how many replies of a port were timed, and their sum in seconds.
func (f *fixture) replyTimes(t *testing.T, port string) (count int, sum float64) {
	t.Helper()
	families, err := f.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, fam := range families {
		if fam.GetName() != "radsec_gw_server_reply_seconds" {
			continue
		}
		for _, m := range fam.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetValue() == port {
					count, sum = count+int(m.GetHistogram().GetSampleCount()), sum+m.GetHistogram().GetSampleSum()
				}
			}
		}
	}
	return count, sum
}

// A reply without Message-Authenticator is dropped where one is required, and the
// right one that follows is taken.
// Rules: P21, P49
func TestRequiredMessageAuthenticator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.RequireMA = true })
		defer s.Close()
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, s), o)
		plain := answer(t, f.net.seen("a:1812")[0].octets, radius.CodeAccessAccept)
		f.net.sockets[0].in <- plain
		synctest.Wait()
		if got := o.outcome(); got != "replies [] fails []" {
			t.Fatalf("%s, expected that a reply without Message-Authenticator is dropped", got)
		}
		if n := f.count(t, "radsec_gw_server_replies_total", "result", "missing_message_authenticator"); n != 1 {
			t.Errorf("%v counted as missing_message_authenticator, expected 1", n)
		}
		if n := f.count(t, "radsec_gw_server_outstanding_requests"); n != 1 {
			t.Errorf("%v requests outstanding, expected the one that still waits", n)
		}
	})
}

var eventTimestamps = []struct {
	age    time.Duration // of the timestamp; hours: there is none
	window time.Duration
	drop   bool
	stale  bool
}{
	{0, 10 * time.Second, true, false},
	{10 * time.Second, 10 * time.Second, true, false},
	{11 * time.Second, 10 * time.Second, true, true},
	{11 * time.Second, 10 * time.Second, false, true},
	{-10 * time.Second, 10 * time.Second, true, false},
	{-11 * time.Second, 10 * time.Second, true, true},
	{11 * time.Second, 0, true, false},
	{time.Hour, 10 * time.Second, true, false},
}

// Where a reply's Event-Timestamp must be, and what becomes of it elsewhere.
// Rules: P91
func TestWindowOfEventTimestamp(t *testing.T) {
	for _, row := range eventTimestamps {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", nil)
			defer s.Close()
			g := f.group(t, Failover, s)
			o := newOwner(radius.CodeDisconnectRequest)
			o.Window, o.DropStale = row.window, row.drop
			f.start(t, g, o)
			p, err := radius.Parse(f.net.seen("a:3799")[0].octets, []byte(secretText))
			if err != nil {
				t.Fatal(err)
			}
			r := p.Response(radius.CodeDisconnectACK)
			if row.age != time.Hour {
				r.Add(55, radius.NewInteger(uint32(time.Now().Add(-row.age).Unix())))
			}
			b, err := r.Encode()
			if err != nil {
				t.Fatal(err)
			}
			f.net.sockets[0].in <- b
			synctest.Wait()
			want := "replies [Disconnect-ACK] fails []"
			if row.stale && row.drop {
				want = "replies [] fails []"
			}
			if got := o.outcome(); got != want {
				t.Errorf("%+v: %s, expected %s", row, got, want)
			}
			counted := map[string]float64{"accepted": 1, "stale_event_timestamp": 0}
			if row.stale {
				counted = map[string]float64{"accepted": 0, "stale_event_timestamp": 1}
			}
			for result, want := range counted {
				if got := f.count(t, "radsec_gw_server_replies_total", "result", result); got != want {
					t.Errorf("%+v: %v replies counted as %s, expected %v", row, got, result, want)
				}
			}
			// What the next request on the same Identifier asks for is its own.
			if socket := s.endpoint(wire.KindDisconnect).sockets.all()[0]; row.stale && !row.drop {
				plain := newOwner(radius.CodeDisconnectRequest)
				f.start(t, g, plain)
				last := f.net.seen("a:3799")
				socket.handle(inboxOf(answer(t, last[len(last)-1].octets, radius.CodeDisconnectACK)))
				if n := f.count(t, "radsec_gw_server_replies_total", "result", "accepted"); n != 1 {
					t.Errorf("%v accepted, expected the reply to a request without a window", n)
				}
			}
		})
	}
}
