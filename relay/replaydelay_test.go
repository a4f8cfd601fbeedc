package relay

import (
	"encoding/binary"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/wire"
)

// While the server is down for an hour, records come all the time, some with an Acct-Delay-Time of
// their own: when it is back, each has the time since it happened, within two seconds.
//
// Rules: SP6
func TestDelayOfEachRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSpoolBed(t, settings{}, "")
		conn, _ := b.open()
		b.down(conn)
		b.passing(10 * time.Second)
		const records, every = 600, 6 * time.Second
		happened := map[string]time.Time{}
		for i := range records {
			session, own := fmt.Sprintf("of-%d", i), uint32(i%31)
			happened[session] = time.Now().Add(-time.Duration(own) * time.Second)
			var more []attr
			if own > 0 {
				more = append(more, integer(41, own))
			}
			b.send(conn, record(byte(i), 1, session, more...))
			b.passing(every)
		}
		b.net.seen()
		b.answering()
		for range 600 {
			b.passing(100 * time.Millisecond)
			for _, d := range b.net.seen() {
				var v wire.View
				if err := v.Parse(d.octets); err != nil {
					t.Fatal(err)
				}
				at, ok := happened[string(v.Get(44))]
				if !ok {
					continue // a check, or sent before
				}
				delete(happened, string(v.Get(44)))
				got, want := time.Duration(binary.BigEndian.Uint32(v.Get(41)))*time.Second, time.Since(at)
				if got < want-2*time.Second || got > want+time.Second {
					t.Errorf("session %s: expected an Acct-Delay-Time of about %v, got %v", v.Get(44), want, got)
				}
			}
		}
		if len(happened) > 0 {
			t.Errorf("expected every record to be sent, %d were not", len(happened))
		}
	})
}
