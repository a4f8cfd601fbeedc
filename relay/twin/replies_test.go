package twin_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"radsec-gw/relay/twin"
)

// answer lets the server that has a request send datagrams, in one burst, and compares
// the results with the twin's. Only the last may be valid.
func (s *session) answer(f *flight, datagrams ...[]byte) {
	s.t.Helper()
	if s.over {
		return
	}
	at := place{f.from, f.sent[1]}
	open, waits := s.pending[at] == f, f.waits
	f.from.reply(datagrams...)
	last := datagrams[len(datagrams)-1]
	copies, answers := s.bed.arrivals(), s.peer.got()
	good := slices.IndexFunc(datagrams, func(d []byte) bool {
		return twin.ValidReply(d, f.sent, f.from.server.secret, s.bed.requireMA)
	})
	if good >= 0 {
		last = datagrams[good]
	}
	if good < 0 || !open || !waits {
		outcomes["reply refused"]++
		if good >= 0 && open {
			delete(s.pending, at)
		}
		if len(copies)+len(answers) > 0 {
			s.t.Fatalf("%s: a datagram that is not a reply had an effect\n%s%s%s%s", s.name(),
				dump("sent to the server", f.sent), dump("server sent", datagrams...), dumpDatagrams(copies), dump("client got", answers...))
		}
		return
	}
	delete(s.pending, at)
	if problem := s.replied(f, twin.Cut(last), copies, answers); problem != nil {
		s.t.Fatalf("%s: %v\n%s%s%s%s%s", s.name(), problem, dump("client sent", f.req), dump("server got", f.sent),
			dump("server sent", last), dumpDatagrams(copies), dump("client got", answers...))
	}
}

// replied compares the results of a valid reply.
func (s *session) replied(f *flight, reply []byte, copies []datagram, answers [][]byte) error {
	var got []byte
	if len(answers) > 0 {
		got = answers[0]
	}
	if len(answers)+len(copies) > 1 {
		return errors.New("more was sent than expected")
	}
	if reply[0] == twin.ProtocolError {
		return s.protocolError(f, reply, copies, got)
	}
	if len(copies) > 0 {
		return errors.New("a request that was answered went on to another server")
	}
	want, errs := twin.ForClient(reply, f.req, f.sent, s.v11, f.from.server.secret, clientText, got)
	if wrong := saltProblem(errs); wrong != nil {
		return wrong
	}
	s.ended(f, got)
	if len(errs) > 0 {
		outcomes["reply lost"]++
		return twin.CheckAnswer(got, f.req, s.v11, clientText, twin.Lost(f.req[0], s.v11, s.bed.policy))
	}
	outcomes["reply relayed"]++
	if got == nil {
		return errors.New("the client got nothing")
	}
	if !bytes.Equal(want, got) {
		return fmt.Errorf("the client's copy differs%s", difference(want, got))
	}
	return nil
}

// saltProblem returns the error that is about the gateway's packet, not about the server's.
func saltProblem(errs []error) error {
	for _, err := range errs {
		if !errors.Is(err, twin.ErrTooLong) && !errors.Is(err, twin.ErrHidden) {
			return err
		}
	}
	return nil
}

// protocolError compares the results of a Protocol-Error (P97).
func (s *session) protocolError(f *flight, reply []byte, copies []datagram, got []byte) error {
	cause := uint32(0)
	list, _ := twin.Parse(reply)
	if v := twin.Values(list, 101); len(v) > 0 && len(v[0]) == 4 {
		cause = binary.BigEndian.Uint32(v[0])
	}
	another := twin.TriesAnother(cause)
	movable := f.req[0] == twin.AccessRequest || f.req[0] == twin.AccountingRequest
	untried := len(f.tried) < len(s.bed.servers)
	if len(copies) > 0 {
		if !movable || !untried || !another {
			return errors.New("the request went on to another server")
		}
		_, problem := s.arrive(f, copies)
		return problem
	}
	if another && movable && untried {
		return errors.New("the request did not go on to the other server")
	}
	s.ended(f, got)
	outcomes["passed on"]++
	return twin.CheckAnswer(got, f.req, s.v11, clientText, twin.AfterProtocolError(f.req[0], s.v11, s.bed.policy, cause))
}

func (s *session) ended(f *flight, answer []byte) {
	f.waits, f.answer, f.at = false, answer, time.Now()
	if s.v11 || answer == nil {
		s.forget(f.req)
	}
}
