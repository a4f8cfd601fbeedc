package dynauth

import (
	"fmt"
	"log/slog"
	"testing"

	"layeh.com/radius"

	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

// interims returns accounting of several NASes, and of sessions on each.
func interims(t testing.TB, nases, sessions int) (list []*wire.View) {
	for n := range nases {
		for s := range sessions {
			p := packet(radius.CodeAccountingRequest, 1, "radsec", user(fmt.Sprintf("user-%d@example.org", s)), nasID(fmt.Sprint("ap-", n)), nasIP(fmt.Sprintf("192.0.2.%d", n%250)),
				attr{5, "\x00\x00\x00\x01"}, attr{61, "\x00\x00\x00\x13"}, status(3), session(fmt.Sprintf("%08x-%d", n, s)), attr{50, fmt.Sprintf("%08x:%d", n, s)},
				station(fmt.Sprintf("02-00-00-00-%02x-%02x", n%256, s%256)), attr{30, fmt.Sprintf("02-AA-%d:eduroam", n)}, attr{25, fmt.Sprint("class-", n, s)},
				attr{42, "\x00\x00\x00\x01"}, attr{43, "\x00\x00\x00\x01"}, attr{46, "\x00\x00\x00\x01"}, attr{55, "\x00\x00\x00\x01"})
			list = append(list, view(t, must(p.Encode())))
		}
	}
	return list
}

// BenchmarkLearn is what learning costs for one request: of an access point's connection, of
// one that carries 200 NASes, and of a client without reverse_coa.
func BenchmarkLearn(b *testing.B) {
	for _, x := range []struct {
		name, client string
		nases        int
	}{{"AccessPoint", "a", 1}, {"Proxy", "a", 200}, {"WithoutFlag", "c", 200}} {
		b.Run(x.name, func(b *testing.B) {
			bed := newBed(b)
			l := bed.open(x.client)
			list := interims(b, x.nases, 50)
			learn := func(i int) {
				v := list[i%len(list)]
				now := bed.s.now()
				l.Answered(l.Arrived(v, now), v, radius.CodeAccountingResponse, Granted{}, now)
			}
			for i := range list {
				learn(i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				learn(i)
			}
		})
	}
}

// BenchmarkReverse is what one CoA and its answer cost, but for the system calls: in batches of
// 32, to 32 connections.
func BenchmarkReverse(b *testing.B) {
	bed := newBed(b)
	bed.s.log = slog.New(slog.DiscardHandler)
	bed.l.send = func([][]byte, []origin) {}
	const n = datagram.BatchSize
	var links [n]*link
	for i := range n {
		links[i] = bed.open("a")
		links[i].login(nasID(fmt.Sprint("ap-", i)))
	}
	h, secret := wire.NewHasher(), must(wire.NewServerSecret([]byte(senderSecret)))
	verify, count := wire.NewDigests(), 0
	b.ReportAllocs()
	for b.Loop() {
		for i := range n {
			count++
			p := must(wire.NewRequest(radius.CodeCoARequest, byte(count)).AddText(32, fmt.Sprint("ap-", i)).AddText(18, fmt.Sprint(count)).Sign(h, secret))
			bed.w.parse(p, origin{address: senderAddress, local: gatewayAddr})
		}
		bed.w.handleParsed(bed.l)
		for _, l := range links {
			down := l.one()
			answer := ack(b, down, radius.CodeCoAACK)
			var v wire.View
			if err := v.Parse(answer); err != nil {
				b.Fatal(err)
			}
			r := l.AcquireReplies()
			r.Add(verify, &v)
			verify.Run()
			r.Finish(verify)
			r.Release()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/CoA")
}
