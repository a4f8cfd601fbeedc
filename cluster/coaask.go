package cluster

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/dynauth"
	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// coaAsk is a question of this gateway. It belongs to the goroutine that asks it.
type coaAsk struct {
	c        *CoA
	question *dynauth.Question
	until    time.Duration // when it is given up, unless a gateway has taken the request
	located  bool          // c.locating no longer has its element
}

// coaAsks are the questions that wait for replies.
type coaAsks struct {
	mu   locks.Mutex[locks.ClusterAsks] // guards the fields below
	byID map[uint64]chan coaReply
}

// maxReplies is how many replies to one message may wait: a find has one of each gateway.
const maxReplies = maxPeers

// add returns an identifier for a message, whose replies go to the channel.
func (s *coaAsks) add(ch chan coaReply) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		id := rand.Uint64()
		if _, ok := s.byID[id]; !ok {
			s.byID[id] = ch
			return id
		}
	}
}

func (s *coaAsks) remove(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, id)
}

// deliver hands over a reply. One that nobody waits for, or too many, are dropped.
func (s *coaAsks) deliver(id uint64, r coaReply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.byID[id] <- r: // a nil channel if there is none
	default:
	}
}

// canAsk reports whether replies would arrive. Without them, a request that another gateway has sent
// down would get a NAK, which claims that it was not (RC7).
func (c *CoA) canAsk() bool {
	nc := c.heard.Load()
	return c.active.Load() && nc != nil && nc == c.conn.NATS() && c.conn.Connected()
}

// Ask implements dynauth.Others.
func (c *CoA) Ask(q *dynauth.Question) bool {
	if !c.canAsk() {
		c.metrics.Count(metrics.AskNotConnected)
		return false
	}
	if c.total.Add(1) > maxAsks {
		c.total.Add(-1)
		c.metrics.Count(metrics.AskBusy)
		return false
	}
	select {
	case c.queue <- &coaAsk{c: c, question: q, until: c.now() + c.times.whole}:
		c.metrics.AddPending(1)
		return true
	default:
		c.total.Add(-1)
		c.metrics.Count(metrics.AskBusy)
		return false
	}
}

// end records the result of a question, and ends it unless that has happened.
func (c *CoA) end(a *coaAsk, result metrics.ClusterAsk) {
	c.metrics.Count(result)
	c.metrics.AddPending(-1)
	c.total.Add(-1)
	switch result {
	case metrics.AskRelayed, metrics.AskUnanswered:
	case metrics.AskStopped:
		a.question.Abandon()
	default:
		a.question.Nobody()
	}
}

// outcome is what has become of one message.
type outcome uint8

const (
	notHere      outcome = iota // the next may have it
	timedOut                    // nobody has said anything
	gone                        // the connection to NATS is lost
	stopped                     // the gateway stops
	wrongAnswer                 // somebody else has answered
	relayed                     // the question has ended
	notAnswered                 // likewise
	foundGateway                // of find: which has it
)

// ask asks a question: where the names of its NAS lead to, then all gateways, then where the
// configuration leads to (RC8).
func (c *CoA) ask(ctx context.Context, a *coaAsk) {
	defer a.release()
	c.end(a, a.everywhere(ctx))
}

// release lets another question be asked.
func (a *coaAsk) release() {
	if !a.located {
		a.located = true
		<-a.c.locating
	}
}

// everywhere asks one after the other, and returns the result.
func (a *coaAsk) everywhere(ctx context.Context) metrics.ClusterAsk {
	slow := false
	ask := func(subject string, configured bool) (ended bool, result metrics.ClusterAsk) {
		switch a.try(ctx, subject, configured) {
		case relayed:
			return true, metrics.AskRelayed
		case notAnswered:
			return true, metrics.AskUnanswered
		case gone:
			return true, metrics.AskNotConnected
		case stopped:
			return true, metrics.AskStopped
		case wrongAnswer:
			return true, metrics.AskBadAnswer
		case timedOut:
			slow = true
		}
		return false, 0
	}
	for _, n := range a.question.Names {
		if slow {
			break // it is asked for where it is said to be, and that does not answer
		}
		if ended, result := ask(a.c.subject(n), false); ended {
			return result
		}
	}
	if a.question.Find {
		name, how := a.find(ctx)
		slow = slow || how == timedOut
		switch {
		case how == gone:
			return metrics.AskNotConnected
		case how == stopped:
			return metrics.AskStopped
		case how == foundGateway:
			if ended, result := ask(a.c.prefix+"to."+name, false); ended {
				return result
			}
		}
	}
	for _, n := range a.question.Clients {
		if ended, result := ask(a.c.subject(n), true); ended {
			return result
		}
	}
	if slow {
		return metrics.AskTimeout
	}
	return metrics.AskNobody
}

// timeLeft returns how long a message may wait for its first reply. It returns 0 if that is so
// short that another gateway might take the request when this one has given up (coaTimes.late):
// half of what step has beyond late is for the way of the fastest message and that of the reply.
func (a *coaAsk) timeLeft() time.Duration {
	left := min(a.c.times.step, a.until-a.c.now())
	if left < (a.c.times.step+a.c.times.late)/2 {
		return 0
	}
	return left
}

// message sends a request, and returns where the replies arrive. done must be called.
func (a *coaAsk) message(subject string, configured bool, size int) (replies chan coaReply, done func(), sent bool) {
	c, q := a.c, a.question
	replies = make(chan coaReply, size)
	id := c.asks.add(replies)
	m := coaMessage{asker: c.name, clock: c.now(), configured: configured, from: q.From, local: q.Local, packet: q.Datagram}
	sent = c.send(subject, c.prefix+"reply."+c.name+"."+strconv.FormatUint(id, 16), m.encode())
	return replies, func() { c.asks.remove(id) }, sent
}

// try asks a gateway to send the request down. Once it has taken the request, try waits for the
// answer until the deadline of the question.
func (a *coaAsk) try(ctx context.Context, subject string, configured bool) outcome {
	changed := a.c.conn.Changed()
	left := a.timeLeft()
	if left == 0 {
		return timedOut
	}
	replies, done, sent := a.message(subject, configured, 8)
	defer done()
	if !sent {
		return timedOut
	}
	t := time.NewTimer(left)
	defer t.Stop()
	taken := false
	for {
		select {
		case r := <-replies:
			how, ended := a.handle(&r, taken)
			if ended {
				return how
			}
			taken = taken || r.kind == replyTaken
		case <-t.C:
			if !taken {
				return timedOut
			}
		case <-changed:
			// It may have been sent down: a NAK would claim that it was not (RC7). If its sender
			// sends it again, so does this gateway, and the other recognizes it.
			a.question.Unanswered(true)
			return gone
		case <-a.question.Done():
			return notAnswered
		case <-ctx.Done():
			return stopped
		}
	}
}

// handle handles a reply, and reports whether the message has its outcome. After a gateway has
// taken the request, only its answer ends the question: any other is another's.
func (a *coaAsk) handle(r *coaReply, taken bool) (how outcome, ended bool) {
	switch r.kind {
	case replyNotHere, replyHere:
		return notHere, !taken
	case replyTaken:
		a.release()
	case replyAnswer:
		if a.question.Answered(r.packet) {
			return relayed, true
		}
		a.c.logBadAnswer(a.question)
		return wrongAnswer, !taken
	case replyUnanswered, replyLost:
		a.question.Unanswered(r.kind == replyLost)
		return notAnswered, true
	}
	return notHere, false
}

// find asks all gateways who has the connection, and returns the name of the first.
func (a *coaAsk) find(ctx context.Context) (name string, how outcome) {
	c := a.c
	changed := c.conn.Changed()
	others := c.peers.count(c.now(), missedBeats*c.times.beat)
	left := a.timeLeft()
	switch {
	case others == 0:
		return "", notHere
	case left == 0:
		return "", timedOut
	}
	replies, done, sent := a.message(c.prefix+"find", false, maxReplies)
	defer done()
	if !sent {
		return "", timedOut
	}
	t := time.NewTimer(left)
	defer t.Stop()
	denied := map[string]bool{}
	for len(denied) < others {
		select {
		case r := <-replies:
			switch {
			case r.kind == replyHere:
				return r.name, foundGateway
			case r.kind == replyNotHere && r.name == "":
				return "", notHere // nobody listens
			case r.kind == replyNotHere:
				denied[r.name] = true
			}
		case <-t.C:
			return "", timedOut
		case <-changed:
			return "", gone
		case <-a.question.Done():
			return "", notHere
		case <-ctx.Done():
			return "", stopped
		}
	}
	return "", notHere
}

// readReplies hands the replies to those who wait for them.
func (c *CoA) readReplies(ctx context.Context) {
	for {
		select {
		case m := <-c.replies:
			c.readReply(m)
		case <-ctx.Done():
			return
		}
	}
}

// readReply hands a reply to who waits for it.
func (c *CoA) readReply(m *nats.Msg) {
	id, err := strconv.ParseUint(m.Subject[len(c.prefix)+len("reply.")+len(c.name)+1:], 16, 64)
	if err != nil {
		c.invalid(m)
		return
	}
	r, err := replyIn(m)
	if err != nil {
		c.invalid(m)
		return
	}
	if len(m.Data) > 0 && r.name != c.name { // neither of NATS nor of this gateway
		c.received()
	}
	c.asks.deliver(id, r)
}

// replyIn returns the reply in a message. If nobody subscribes to a subject, NATS says so itself
// with a status and nothing else.
func replyIn(m *nats.Msg) (coaReply, error) {
	if len(m.Data) == 0 && m.Header.Get("Status") == noResponders {
		return coaReply{kind: replyNotHere}, nil
	}
	return decodeReply(m.Data)
}

// noResponders is the status of NATS when nobody subscribes to a subject.
const noResponders = "503"

// logBadAnswer logs an answer that does not verify.
func (c *CoA) logBadAnswer(q *dynauth.Question) {
	c.badAnswer.Log(func() logs.Line {
		return logs.Line{Log: c.log, Level: slog.LevelError, Text: "an answer from NATS to a CoA or Disconnect was dropped, because it does not verify under the secret of the sender: somebody else publishes below prefix of [cluster]; protect NATS with credentials and TLS",
			Fields: []any{"sender", q.From.String()}}
	})
}
