package relay

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/spool"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// spoolBed is a bed whose route is spooled.
type spoolBed struct {
	*bed
	spool     *spool.Spool
	directory string
}

const testSpoolAfter = 5 * time.Second

// newSpoolBed returns a bed with a spool in a directory, "": a new one.
func newSpoolBed(t *testing.T, s settings, directory string) *spoolBed {
	if directory == "" {
		directory = t.TempDir()
	}
	s.policy = strict
	s.server.Health = health.Config{Check: health.CheckStatusServer}
	b := &spoolBed{bed: newBed(t, s), directory: directory}
	b.rules.Routes[0].Name, b.rules.Routes[0].SpoolAfter = "example.org", testSpoolAfter
	b.spool = spool.New(spool.Config{Directory: directory, Owner: b.relay, Metrics: b.metrics.Spool(), Log: slog.New(slog.NewTextHandler(b.log, nil)),
		Limits: spool.Limits{MaxOctets: math.MaxInt64, MaxRecords: math.MaxInt, MaxAge: 24 * time.Hour, Rate: 100, Window: 8, Attempts: 3}})
	b.relay.SetSpool(b.spool)
	b.relay.SetClients([]*Client{b.known})
	b.spool.Start(t.Context())
	t.Cleanup(b.closeSpool)
	return b
}

func (b *spoolBed) closeSpool() {
	b.stop()
	if err := b.spool.Close(b.t.Context()); err != nil && b.t.Context().Err() == nil {
		b.t.Error(err)
	}
}

// settle waits until what was handed over is stored or refused.
func (b *spoolBed) settle() {
	b.t.Helper()
	for range 1000 {
		synctest.Wait()
		if b.spool.State().Waiting == 0 {
			synctest.Wait()
			return
		}
		<-time.After(time.Millisecond)
	}
	b.t.Fatal("expected that the records are stored, but some still wait")
}

// passing waits for d in steps, so that what is due in between is stored.
func (b *spoolBed) passing(d time.Duration) {
	for ; d > 0; d -= 100 * time.Millisecond {
		pass(min(d, 100*time.Millisecond))
	}
	b.settle()
}

// record returns an Accounting-Request of a session.
func record(id byte, status uint32, session string, more ...attr) []byte {
	return makeRequest(4, id, 0, append([]attr{nemo, integer(40, status), text(44, session), text(32, "ap-7")}, more...)...)
}

// sentRecords lists the accounting that the servers got, as "session/status".
func (b *spoolBed) sentRecords() (list []string) {
	for _, d := range b.net.seen() {
		if d.octets[0] != 4 {
			continue
		}
		var v wire.View
		if err := v.Parse(d.octets); err != nil {
			b.t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%s/%d", v.Get(44), binary.BigEndian.Uint32(v.Get(40))))
	}
	return list
}

// answering has the servers acknowledge all accounting, and answer checks.
func (b *spoolBed) answering() { b.net.setServe(acknowledge) }

// acknowledge answers accounting, and checks of its port.
func acknowledge(q []byte) [][]byte {
	if q[0] == 4 || q[0] == 12 {
		return [][]byte{respond(q, 5)}
	}
	return nil
}

func (b *spoolBed) silent() { b.net.setServe(nil) }

// down has the server's accounting port found to be down.
func (b *spoolBed) down(conn *Connection) {
	b.t.Helper()
	b.silent()
	b.send(conn, record(1, 1, "s0"))
	for range 600 {
		b.passing(100 * time.Millisecond)
		if !b.rules.Routes[0].Group.Reachable(wire.KindAccounting) {
			return
		}
	}
	b.t.Fatal("expected that the silent server is found to be down")
}
