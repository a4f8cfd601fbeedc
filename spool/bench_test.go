package spool

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"radsec-gw/wire"
)

// sink is an owner that sends nothing and counts what is acknowledged.
type sink struct {
	stored  atomic.Int64
	failed  atomic.Int64
	credits chan struct{}
}

func (s *sink) Stored(entries []*Entry) {
	for _, e := range entries {
		if e.Err != nil {
			s.failed.Add(1)
		}
	}
	s.stored.Add(int64(len(entries)))
	for range entries {
		s.credits <- struct{}{}
	}
}

func (*sink) Send([]*Outgoing)      {}
func (*sink) Reachable(string) bool { return false }

// benchBed returns a spool that sends nothing.
func benchBed(b *testing.B, directory string) (*bed, *sink) {
	b.Helper()
	limits := roomy
	limits.Window = 0
	s := closedBed(b, directory, limits)
	owner := &sink{credits: make(chan struct{}, maxWaiting)}
	for range maxWaiting {
		owner.credits <- struct{}{}
	}
	s.cfg.Owner = owner
	s.Start(b.Context())
	return s, owner
}

// typical is an Interim-Update as an access point sends it.
func typical(b *testing.B) []byte {
	return accounting(b, func(p *radius.Packet) {
		rfc2865.UserName_SetString(p, "user-4711@example.org")
		rfc2865.CallingStationID_SetString(p, "02-00-5E-00-53-01")
		rfc2865.CalledStationID_SetString(p, "02-00-5E-00-53-FF:eduroam")
		rfc2866.AcctStatusType_Set(p, interim)
		rfc2866.AcctSessionID_SetString(p, "0123456789abcdef")
		for _, t := range []radius.Type{rfc2866.AcctInputOctets_Type, rfc2866.AcctOutputOctets_Type, rfc2866.AcctSessionTime_Type, rfc2866.AcctInputPackets_Type, rfc2866.AcctOutputPackets_Type} {
			p.Add(t, make([]byte, 4))
		}
		rfc2865.Class_Add(p, make([]byte, 60))
	})
}

// numbered returns the typical record with a session and contents of its own.
func numbered(template []byte, sessionAt int, n uint64) []byte {
	p := append([]byte(nil), template...)
	copy(p[sessionAt:], fmt.Sprintf("%016x", n))
	return p
}

// sessionAt returns where the Acct-Session-Id of a packet is.
func sessionAt(b *testing.B, packet []byte) int {
	for off := wire.MinLength; off < len(packet); off += int(packet[off+1]) {
		if packet[off] == byte(rfc2866.AcctSessionID_Type) {
			return off + 2
		}
	}
	b.Fatal("no session")
	return 0
}

// Records a second that clients hand over and have acknowledged, each of a session of its own, on
// a real disk.
//
// Rules: SP2
func BenchmarkAcknowledge(b *testing.B) {
	s, owner := benchBed(b, "")
	template := typical(b)
	at := sessionAt(b, template)
	var next atomic.Uint64
	b.ReportAllocs()
	b.ResetTimer()
	var clients sync.WaitGroup
	for range 2 {
		clients.Go(func() {
			for n := next.Add(1); n <= uint64(b.N); n = next.Add(1) {
				e := &Entry{Record: Record{Arrived: time.Now(), Client: "campus", Route: "a"}, From: s.secret}
				e.Packet.Parse(numbered(template, at, n))
				e.Marks = s.Marks("campus", &e.Packet)
				<-owner.credits
				if err := s.Add(e); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
	for owner.stored.Load() < int64(b.N) {
		runtime.Gosched()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	if n := owner.failed.Load(); n > 0 {
		b.Errorf("expected that all records are stored, got %d that are not", n)
	}
}

// A request that is answered without the spool: what it costs that the spool is there. It must
// not allocate.
func BenchmarkBegin(b *testing.B) {
	s, _ := benchBed(b, "")
	template := typical(b)
	at := sessionAt(b, template)
	marks := make([]Marks, 1024)
	for i := range marks {
		marks[i] = s.Marks("campus", view(b, numbered(template, at, uint64(i))))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		var l Live
		if !s.Begin(&l, &marks[i%len(marks)]) {
			b.Fatal("expected that the request may begin")
		}
		s.End(&l, true)
		i++
	}
}

// What the marks of a record cost.
func BenchmarkMarks(b *testing.B) {
	m := NewMarker()
	v := view(b, typical(b))
	b.ReportAllocs()
	for b.Loop() {
		m.Of("campus", v)
	}
}

// A million records, each of a session of its own: how long it takes to open their store, and
// how much memory their index takes.
func BenchmarkMillion(b *testing.B) {
	const million = 1_000_000
	directory := b.TempDir()
	fill(b, directory, million)
	before := heapNow()
	for b.Loop() {
		begin := time.Now()
		s, _ := benchBed(b, directory)
		took := time.Since(begin)
		if n := s.State().Records; n != million {
			b.Fatalf("expected a million records, got %d", n)
		}
		perRecord := float64(heapNow()-before) / million
		s.close()
		b.ReportMetric(took.Seconds(), "s/open")
		b.ReportMetric(perRecord, "B/record")
		if perRecord > 200 {
			b.Errorf("expected at most 200 bytes a record, got %.0f", perRecord)
		}
	}
}

// heapNow returns the bytes of the heap that are in use.
func heapNow() uint64 {
	for range 3 { // what pools keep is freed later
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// fill makes a database with records.
func fill(b *testing.B, directory string, records int) {
	b.Helper()
	st, err := openFileStore(directory, quiet)
	if err != nil {
		b.Fatal(err)
	}
	template := typical(b)
	at := sessionAt(b, template)
	var add []addition
	for n := range uint64(records) {
		r := Record{Arrived: time.Now(), Client: "campus", Route: "a", at: time.Now().UnixNano(), Packet: numbered(template, at, n)}
		add = append(add, addition{n + 1, r.appendTo(nil)})
		if len(add) == 10_000 || n == uint64(records)-1 {
			if err := st.commit(add, nil); err != nil {
				b.Fatal(err)
			}
			add = add[:0]
		}
	}
	if err := st.close(); err != nil {
		b.Fatal(err)
	}
}
