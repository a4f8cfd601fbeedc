package relay

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback"
)

// Connections, readers of sockets and timers run at the same time, for the race detector. No
// packet is counted twice or not at all if a reply, a resend, a move to the other server, a
// reuse of the Identifier and the end of the connection happen together.
// Rules: P26, P59, P60, P61, P64, P65, P122, P124
func TestInParallel(t *testing.T) {
	const workers, rounds = 6, 300 // every second of them speaks RADIUS/1.1
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, secondSecret: serverText, server: udpback.ServerConfig{
			MaxSockets: 2, Schedule: udpback.Schedule{Initial: 20 * time.Millisecond, Count: 4, Duration: 200 * time.Millisecond}}})
		b.net.setServe(func(s []byte) [][]byte {
			code := map[byte]radius.Code{1: 11, 4: 5, 40: 41, 43: 44}[s[0]]
			switch rand.IntN(4) {
			case 0:
				return nil
			case 1:
				return [][]byte{respond(s, code, mac), respond(s, code, mac)}
			}
			return [][]byte{respond(s, code, mac)}
		})
		var running sync.WaitGroup
		counts := make([]int, workers)
		for w := range workers {
			running.Go(func() { counts[w] = b.work(w, rounds) })
		}
		running.Wait()
		for _, n := range counts {
			b.packets += n
		}
		pass(time.Second)
		if n := b.sum("radsec_gw_server_outstanding_requests"); n != 0 {
			t.Errorf("%v Identifiers are taken after every schedule has ended", n)
		}
	})
}

// work is one connection after the other; it returns how many packets it sent.
func (b *bed) work(worker, rounds int) (packets int) {
	rnd := rand.New(rand.NewPCG(uint64(worker), rand.Uint64()))
	p := &peer{v11: worker%2 == 1}
	conn := b.relay.Open(b.known, p, netip.MustParseAddrPort("192.0.2.1:1024"), Origin{})
	var last []byte
	for i := range rounds {
		for range 1 + rnd.IntN(8) {
			code := []radius.Code{1, 1, 4, 40, 43}[rnd.IntN(5)]
			q := makeRequest(code, byte(rnd.IntN(8)), packets+worker<<24, user(fmt.Sprintf("%d-%d@example.org", worker, packets)))
			if p.v11 {
				q = makeRequest11(code, uint32(packets), user(fmt.Sprintf("%d-%d@example.org", worker, packets)))
			}
			if last != nil && rnd.IntN(6) == 0 {
				q = last
			}
			last = q
			packets++
			if err := conn.Packet(q); err != nil {
				b.t.Errorf("a good packet was refused: %v", err)
			}
		}
		conn.Flush()
		if rnd.IntN(3) == 0 {
			<-time.After(time.Duration(rnd.IntN(60)) * time.Millisecond)
		}
		if i%40 == 39 {
			conn.Closed()
			conn = b.relay.Open(b.known, p, netip.MustParseAddrPort("192.0.2.1:1024"), Origin{})
		}
	}
	conn.Closed()
	return packets
}
