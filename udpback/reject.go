package udpback

import (
	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// keptReject is the verified Access-Reject of a server whose request was sent to the next
// server of a group with NextOnReject. Its owner gets it if no other server answers.
type keptReject struct {
	ep     *endpoint // that it came from
	secret *wire.ServerSecret
	packet []byte   // as received, from the buffers
	sent   [16]byte // the Request Authenticator that it answers
}

// asksNext reports whether the exchange goes to the next server when one rejects it. A
// request with State does not: the conversation is with the server that issued that (RFC
// 2865 §5.24).
func (ex *Exchange) asksNext() bool {
	return ex.group != nil && ex.group.nextOnReject && ex.Kind == wire.KindAccess && !ex.HasState
}

// rejected handles an Access-Reject. The request is sent, once, to each of the group's
// servers that can be sent to, until one does not reject it. Then the owner gets the first
// Access-Reject.
func (r *receiver) rejected(c *candidate) {
	ex, s := c.ex, r.socket
	ex.keepReject(ex.useCount(), r.copyReject(c))
	batch := s.ep.server.backend.AcquireBatch()
	defer s.ep.server.backend.ReleaseBatch(batch)
	if !ex.isCancelled() && ex.group.hasUntried(ex, health.Failing) {
		s.observeMove(ex, `the server rejected it; on_reject = "next"`)
		err := ex.group.moveToServer(ex, batch, health.Failing)
		batch.Flush()
		if err == nil {
			s.ep.metrics.Count(metrics.ServerMoved, 1)
			return
		}
	}
	ex.fail(batch.Hasher, FailSilent, 0, &r.touched)
}

// keepLateReject keeps an Access-Reject to a request that has moved from this server to
// another, which may still accept it. It reports false if the request is not at another
// server.
func (r *receiver) keepLateReject(c *candidate, prev previous) bool {
	ep := r.socket.ep
	if !prev.asksNext || c.view.Code() != radius.CodeAccessReject || !prev.ex.isElsewhere(prev.use, ep) {
		return false
	}
	if c.kept = prev.ex.keepReject(prev.use, r.copyReject(c)); c.kept {
		ep.metrics.CountReply(metrics.ReplyAccepted)
		ep.metrics.CountAnswer(c.view.Code())
	}
	return true
}

func (r *receiver) copyReject(c *candidate) *keptReject {
	ep := r.socket.ep
	return &keptReject{ep: ep, secret: r.socket.set.secret(), packet: ep.server.backend.Buffers.Copy(c.view.Packet), sent: c.sent}
}

// release returns the packet to the buffers; nil is allowed.
func (k *keptReject) release() {
	if k != nil {
		k.ep.server.backend.Buffers.Return(k.packet)
	}
}

// isElsewhere reports whether the exchange waits at another port than ep.
func (ex *Exchange) isElsewhere(use uint64, ep *endpoint) bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return ex.use == use && !ex.cancelled && ex.socket != nil && ex.socket.ep != ep
}

// keepReject keeps k if it is the first. It reports false if the exchange has ended or was
// cancelled: then k is released.
func (ex *Exchange) keepReject(use uint64, k *keptReject) bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	waits := ex.use == use && !ex.cancelled && !ex.ended
	if !waits || ex.reject != nil {
		k.release()
		return waits
	}
	ex.reject = k
	return true
}

// takeReject returns the Access-Reject that is kept, which the exchange no longer has then;
// nil: there is none. None is kept afterwards.
func (ex *Exchange) takeReject() *keptReject {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	k := ex.reject
	ex.reject, ex.ended = nil, true
	return k
}

// wasRejected reports whether an Access-Reject is kept. Such an exchange does not go back
// to a server that had it.
func (ex *Exchange) wasRejected() bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return ex.reject != nil
}

// fail ends an exchange that gets no other reply: its owner gets the Access-Reject that is
// kept, or else Handler.Fail is called.
func (ex *Exchange) fail(h *wire.Hasher, why Failure, cause uint32, touched *Touched) {
	k := ex.takeReject()
	defer k.release()
	var reply wire.View
	if k == nil || reply.Parse(k.packet) != nil {
		ex.Handler.Fail(h, why, cause, touched)
		return
	}
	backend := k.ep.server.backend
	batch := backend.AcquireBatch()
	defer backend.ReleaseBatch(batch)
	ex.ep = k.ep
	dst := batch.space()
	n := ex.Handler.Reply(batch.digests, dst, &reply, &k.sent, Hop{Server: k.ep.server, Secret: k.secret})
	batch.digests.Run()
	ex.Handler.Deliver(dst[:n], touched)
}
