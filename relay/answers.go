package relay

import (
	"errors"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// write returns the outcome of a request that the gateway answers itself. It reports false
// if the answer and the request's Proxy-State together are too long: then the client gets
// no answer.
func (b *burst) write(req *request, answer wire.Answer, fate metrics.Fate) (end outcome, ok bool) {
	n, err := b.batch.Hasher.WriteAnswer(b.answer[:], &req.view, answer, req.client.Secret)
	if err != nil {
		return outcome{fate: fate}, false
	}
	b.answered = true
	return outcome{fate, b.answer[:n]}, true
}

// answerStatus answers a Status-Server, which is about this hop only, with Access-Accept,
// whatever the state of the servers (RFC 5997 §4.2).
func (b *burst) answerStatus(req *request) outcome {
	end, ok := b.write(req, wire.Answer{Code: radius.CodeAccessAccept}, metrics.FateStatusAnswered)
	if !ok {
		end.fate = metrics.FateReplyTooLong
	}
	return end
}

// acknowledge answers an Accounting-Request that its route does not forward with an
// Accounting-Response, and keeps that for duplicates. It is the one exception to RFC 2866
// §2, by which only a server that has recorded the data acknowledges it: an operator
// declares that nobody is to have it, as eduroam's do (RFC 7593 §5).
func (c *Connection) acknowledge(b *burst, req *request, group int) outcome {
	req.setRoute(b.rules, group)
	end, ok := b.write(req, wire.Answer{Code: radius.CodeAccountingResponse, Acknowledges: true}, metrics.FateAccountingAnswered)
	if !ok {
		end.fate = metrics.FateReplyTooLong
		return end
	}
	c.keepOwn(req, end.answer)
	req.learnAcknowledged()
	return end
}

// decline answers a request that is not forwarded, as its route says, or as the rules say
// if it has none.
func (b *burst) decline(req *request, fate metrics.Fate, cause uint32) outcome {
	policy := b.rules.OnUnroutable
	switch {
	case fate == metrics.FateBadUserPassword, fate == metrics.FateRuleRejected, fate == metrics.FateRuleFailed:
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

// notStarted hands a request over to the spool that Group.Start could not start, if it is for
// that, and answers it otherwise.
func (c *Connection) notStarted(b *burst, req *request, err error) (end outcome, inFlight bool) {
	if req.spool != nil && isShortage(err) && c.spoolInstead(req) {
		return outcome{}, true
	}
	return c.refuseUnstarted(b, req, err), false
}

// refuseUnstarted answers a request that could not be started.
func (c *Connection) refuseUnstarted(b *burst, req *request, err error) outcome {
	c.untrack(req, nil)
	c.outstanding.Add(-1)
	fate, cause := metrics.FateNoIdentifier, uint32(causeOtherProxyError)
	switch {
	case errors.Is(err, wire.ErrUserPassword):
		fate, cause = metrics.FateBadUserPassword, causeInvalidValue
	case errors.Is(err, wire.ErrChallenge):
		fate, cause = metrics.FateBadUserPassword, causeMissingAttribute
	case isRuleError(err):
		return b.refuseByRule(req, err)
	case errors.Is(err, wire.ErrTooLong):
		fate = metrics.FateTooLong
	case errors.Is(err, udpback.ErrNoSocket):
		fate = metrics.FateNoSocket
	case errors.Is(err, udpback.ErrNoSource):
		return b.refuseSource(req, err)
	case errors.Is(err, udpback.ErrMaintenance):
		fate = metrics.FateMaintenance
		c.relay.logMaintenance(req)
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

// refuseSource answers a request that cannot be sent from its client's source (ID8).
func (b *burst) refuseSource(req *request, err error) outcome {
	if errors.Is(err, udpback.ErrSourceTaken) { // udpback logs the others
		req.conn.relay.logSourceTaken(req)
	}
	cause := uint32(causeOtherProxyError)
	if req.dynamic() {
		cause = causeResources
	}
	return b.decline(req, metrics.FateNoSource, cause)
}

// writeSubstitute writes what the client gets instead of a reply that cannot be passed
// on: one that would be longer than 4096 octets, or an Access-Accept whose keys cannot be
// decrypted. The server may have acted on the request, so the client gets the same as if
// the server had not replied.
func (req *request) writeSubstitute(d *wire.Digests, dst []byte, err error) int {
	req.fate = metrics.FateBadReplyAttributes
	if errors.Is(err, wire.ErrTooLong) {
		req.fate = metrics.FateReplyTooLong
	} else if isRuleError(err) {
		req.fate = metrics.FateRuleFailed
	}
	req.conn.relay.logReplyLost(req, err)
	answer, ok := req.failureAnswer(udpback.FailSilent, 0)
	if !ok {
		return 0
	}
	n, _ := d.WriteAnswer(dst, &req.view, answer, req.client.Secret)
	return n
}
