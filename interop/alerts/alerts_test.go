//go:build linux

package alerts

import (
	"maps"
	"os"
	"slices"
	"testing"
	"time"
)

// Each alert fires while there is its fault, and ends when the fault does.
//
// Fault O4.
func TestEachAlertFiresAndEnds(t *testing.T) {
	p := startPrometheus(t)
	fired := map[string]bool{}
	b := newBed(t)
	b.startBusy()
	b.startFiles()
	b.startShort()
	p.awaitAll([]string{"RadSecNoGateway"}, fired)
	p.scrape(b.busy.Address, b.files.Address, b.short.Address, b.later.http)
	time.Sleep(3 * time.Second) // what begins is seen as a change only after a scrape without it
	b.breakFiles()
	tr := newTraffic(t)
	b.makeTraffic(tr)
	p.awaitAll(slices.Sorted(maps.Keys(made)), fired)

	tr.end()
	b.mend(newTraffic(t))
	p.awaitNone()
}

// stalledLog is a pipe that nobody reads until resume.
type stalledLog struct {
	read, write *os.File
}

func newStalledLog(t *testing.T) *stalledLog {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		read.Close()
		write.Close()
	})
	return &stalledLog{read, write}
}

// resume reads and discards until the pipe is closed.
func (l *stalledLog) resume() {
	go func() {
		b := make([]byte, 1<<16)
		for {
			if _, err := l.read.Read(b); err != nil {
				return
			}
		}
	}()
}
