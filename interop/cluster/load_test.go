package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"layeh.com/radius/rfc2866"
)

// kinds are the records of a session, in order.
var kinds = []rfc2866.AcctStatusType{rfc2866.AcctStatusType_Value_Start, rfc2866.AcctStatusType_Value_InterimUpdate, rfc2866.AcctStatusType_Value_Stop}

// load is what several NASes send, and what was acknowledged.
type load struct {
	t         *testing.T
	addresses []string // of the gateways
	sending   sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[recordKey]bool
	sentAgain    int // records that got no answer
}

// roamer is a NAS that goes on with the next gateway when its own is lost.
type roamer struct {
	load *load
	name string

	mu   sync.Mutex
	at   int  // of load.addresses
	conn *nas // nil: not connected
}

// sessionsOfNAS is how many sessions a NAS has at a time.
const sessionsOfNAS = 30

// start starts two NASes at each gateway. They send until ctx is done and the sessions have ended
// that had begun.
func (l *load) start(ctx context.Context) {
	l.acknowledged = map[recordKey]bool{}
	l.t.Cleanup(l.sending.Wait) // a test that fails ends them by its context
	for i := range 2 * len(l.addresses) {
		r := &roamer{load: l, name: fmt.Sprintf("lost%d", i), at: i % len(l.addresses)}
		for j := range sessionsOfNAS {
			l.sending.Go(func() {
				for k := 0; ctx.Err() == nil; k++ {
					r.session(fmt.Sprintf("%s-%d-%d", r.name, j, k))
				}
			})
		}
	}
}

// count returns how many records were acknowledged.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged)
}

// session sends the records of a session, each when the one before was acknowledged.
func (r *roamer) session(id string) {
	for _, kind := range kinds {
		key, end := recordKey{id, kind}, time.Now().Add(patience)
		for {
			err := r.send(key)
			if err == nil {
				break
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-r.load.t.Context().Done():
				return
			}
			if time.Now().After(end) || !errors.Is(err, errLost) && !errors.Is(err, errSilent) {
				r.load.t.Errorf("record %v: %v", key, err)
				return
			}
		}
		r.load.mu.Lock()
		r.load.acknowledged[key] = true
		r.load.mu.Unlock()
	}
}

// send sends a record to the gateway of the moment. When that does not answer the next is used.
func (r *roamer) send(key recordKey) error {
	n, err := r.current()
	if err != nil {
		return errLost
	}
	if err = n.record(key, 5*time.Second); err == nil {
		return nil
	}
	r.load.mu.Lock()
	r.load.sentAgain++
	r.load.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == n { // no other session has done so
		n.conn.Close()
		r.conn, r.at = nil, r.at+1
	}
	return err
}

// current returns the connection, and connects if there is none.
func (r *roamer) current() (*nas, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil {
		return r.conn, nil
	}
	var err error
	if r.conn, err = connect(r.load.t, r.name, r.load.addresses[r.at%len(r.load.addresses)]); err != nil {
		r.conn, r.at = nil, r.at+1
	}
	return r.conn, err
}

// written is what the detail file of FreeRADIUS has.
type written struct {
	records map[recordKey]int // how often
	early   int               // records that are there before the one that precedes them
}

// missing returns which of the acknowledged records it lacks.
func (w written) missing(acknowledged map[recordKey]bool) (list []recordKey) {
	for key := range acknowledged {
		if w.records[key] == 0 {
			list = append(list, key)
		}
	}
	return list
}

// readDetail reads the detail file.
func readDetail(t *testing.T) written {
	t.Helper()
	w := written{records: map[recordKey]int{}}
	f, err := os.Open(inDir("accounting/log/detail"))
	if errors.Is(err, os.ErrNotExist) {
		return w
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var key recordKey
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), " = ")
		switch name {
		case "Acct-Session-Id":
			key.session = strings.Trim(value, `"`)
		case "Acct-Status-Type":
			key.kind = map[string]rfc2866.AcctStatusType{"Start": 1, "Stop": 2, "Interim-Update": 3}[value]
		case "": // the end of a record
			if i := slices.Index(kinds, key.kind); key.session != "" && i >= 0 {
				if i > 0 && w.records[recordKey{key.session, kinds[i-1]}] == 0 {
					w.early++
				}
				w.records[key]++
			}
			key = recordKey{}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return w
}
