package relay

import (
	"errors"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// write returns the outcome of a request that the gateway answers itself. An answer that
// does not fit beside the request's Proxy-State cannot be given: the client gets nothing.
func (b *burst) write(req *request, answer wire.Answer, fate metrics.Fate) (end outcome, ok bool) {
	n, err := b.batch.Hasher.WriteAnswer(b.answer[:], &req.view, answer, req.client.Secret)
	if err != nil {
		return outcome{fate: fate}, false
	}
	b.answered = true
	return outcome{fate, b.answer[:n]}, true
}

// answerStatus answers Status-Server for this hop: Access-Accept, whatever the
// servers behind are doing (RFC 5997 §4.2).
func (b *burst) answerStatus(req *request) outcome {
	end, ok := b.write(req, wire.Answer{Code: radius.CodeAccessAccept}, metrics.FateStatusAnswered)
	if !ok {
		end.fate = metrics.FateReplyTooLong
	}
	return end
}

// decline answers a request that is not forwarded at all: as its route says when it
// has one.
func (b *burst) decline(req *request, fate metrics.Fate, cause uint32) outcome {
	policy := b.rules.OnUnroutable
	switch {
	case fate == metrics.FateBadUserPassword:
		policy = Reject // whatever the route says: the request itself is at fault
	case req.route != nil:
		policy = req.route.OnUnreachable
	}
	answer, ok := negativeAnswer(&req.view, policy, cause)
	if !ok {
		return outcome{fate: fate}
	}
	end, _ := b.write(req, answer, fate)
	return end
}

// notStarted answers a request that was to be in flight, and could not be started.
func (c *Connection) notStarted(b *burst, req *request, err error) outcome {
	c.untrack(req, nil)
	c.outstanding.Add(-1)
	fate, cause := metrics.FateNoIdentifier, uint32(causeOtherProxyError)
	switch {
	case errors.Is(err, wire.ErrUserPassword):
		fate, cause = metrics.FateBadUserPassword, causeInvalidValue
	case errors.Is(err, wire.ErrChallenge):
		fate, cause = metrics.FateBadUserPassword, causeMissingAttribute
	case errors.Is(err, wire.ErrTooLong):
		fate = metrics.FateTooLong
	case errors.Is(err, udpback.ErrNoSocket):
		fate = metrics.FateNoSocket
	default:
		if errors.Is(err, udpback.ErrQuota) {
			fate = metrics.FateOverShare
		}
		if req.dynamic() {
			cause = causeResources
		}
		c.relay.logNoIdentifier(req, err)
	}
	return b.decline(req, fate, cause)
}

// writeSubstitute writes what the client gets instead of a reply that cannot be passed
// on: it would outgrow 4096 octets, or it is an Access-Accept whose keys do not
// decrypt. The server may have acted, so that is what the client would get had
// the server stayed silent.
func (req *request) writeSubstitute(d *wire.Digests, dst []byte, err error) int {
	req.fate = metrics.FateBadReplyAttributes
	if errors.Is(err, wire.ErrTooLong) {
		req.fate = metrics.FateReplyTooLong
	}
	req.conn.relay.logReplyLost(req, err)
	answer, ok := req.failureAnswer(udpback.FailSilent, 0)
	if !ok {
		return 0
	}
	n, _ := d.WriteAnswer(dst, &req.view, answer, req.client.Secret)
	return n
}
