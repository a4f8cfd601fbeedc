package udpback

import (
	"fmt"
	"time"

	"radsec-gw/wire"
)

// traveller is the owner of one exchange in a storm.
type traveller struct {
	Exchange
	storm  *storm
	number int

	// guarded by storm.mu
	began, deadline time.Duration // deadline 0: not sent yet
	latest          *flight
	moves           int
	ends            int // calls of Deliver and Fail
	failed          bool
	over            bool // it has an end, or was taken back
	overAt          time.Duration
	taken           bool // Cancel said that it took it back
	refused         bool // Start did not start it
	cancelsMoving   bool // Cancel is called while it moves
}

// Write writes the packet that names its owner.
func (t *traveller) Write(d *wire.Digests, dst []byte, _ Hop, id wire.ServerID) (int, error) {
	if t.cancelsMoving && t.hasLeft() {
		go t.cancel()
	}
	p := append(dst[:0], byte(t.Code), byte(id), 0, 30)
	p = p[:20]
	d.Random(p[4:20])
	return len(fmt.Appendf(p, "\x01\x0an%07d", t.number)), nil
}

func (t *traveller) hasLeft() bool {
	t.storm.mu.Lock()
	defer t.storm.mu.Unlock()
	return t.latest != nil
}

// cancel takes the exchange back.
func (t *traveller) cancel() {
	took := t.Cancel()
	t.storm.mu.Lock()
	defer t.storm.mu.Unlock()
	if took {
		t.taken = true
		t.finish()
	}
}

// finish notes when it was over. With storm.mu held.
func (t *traveller) finish() {
	if !t.over {
		t.over, t.overAt = true, t.storm.now()
	}
}

// Reply checks that the reply is this request's own.
func (t *traveller) Reply(_ *wire.Digests, _ []byte, reply *wire.View, _ *[16]byte, _ Hop) int {
	t.storm.mu.Lock()
	defer t.storm.mu.Unlock()
	if class := string(reply.Get(25)); class != fmt.Sprintf("c%07d", t.number) {
		t.storm.wrong("request %d got the reply of %q", t.number, class)
	}
	return 0
}

// Deliver notes the end.
func (t *traveller) Deliver([]byte, *Touched) {
	t.storm.mu.Lock()
	defer t.storm.mu.Unlock()
	t.end()
}

// Fail notes the end.
func (t *traveller) Fail(_ *wire.Hasher, why Failure, _ uint32, _ *Touched) {
	t.storm.mu.Lock()
	defer t.storm.mu.Unlock()
	t.failed = true
	t.end()
}

// end notes a call of Reply or Fail. With storm.mu held.
func (t *traveller) end() {
	t.ends++
	t.finish()
	if now := t.storm.now(); now > t.deadline {
		t.storm.wrong("request %d ended at %v, after its deadline of %v", t.number, now, t.deadline)
	}
}
