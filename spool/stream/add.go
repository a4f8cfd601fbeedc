package stream

import (
	"cmp"
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// maxPending is how many values Add has on their way to the servers at a time.
const maxPending = 512

// Add adds values, and sets the sequence number of each when the servers have acknowledged it.
// maxPending of them are on their way at a time, so that each has requestTimeout for itself, and not
// for all before it. Nothing is sent after requestTimeout: those with a slow disk would store what
// nobody waits for any more. It waits twice as long at most, and as long again for each of a few
// requests after a new connection. The error is the first that it meets. After one, those with a
// number other than 0 are in the stream, and others may be.
func (s *Store) Add(values []Value) error {
	if err := s.checkConnection(); err != nil {
		return err
	}
	for i := range values {
		values[i].Seq = 0
	}
	known := s.same.last.Load()
	ctx, cancel := context.WithTimeout(s.ctx, 2*requestTimeout)
	defer cancel()
	send, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	acks := make([]jetstream.PubAckFuture, 0, len(values))
	var first, unsent error
	for i := range values {
		for unsent == nil && len(acks) < min(i+maxPending, len(values)) {
			acks, unsent = s.publish(send, acks, values[len(acks)].Data)
		}
		if i == len(acks) {
			break
		}
		select {
		case ok := <-acks[i].Ok():
			if values[i].Seq = ok.Sequence; ok.Sequence <= known {
				return s.lostValues(ok.Sequence, known+1)
			}
			s.same.note(ok.Sequence)
		case err := <-acks[i].Err():
			first = cmp.Or(first, err)
		case <-ctx.Done():
			return gone(errors.Join(first, ctx.Err()))
		}
	}
	return gone(cmp.Or(first, unsent))
}

// publish sends one value, and adds what will say how it fared.
func (s *Store) publish(ctx context.Context, acks []jetstream.PubAckFuture, data []byte) ([]jetstream.PubAckFuture, error) {
	if err := ctx.Err(); err != nil {
		return acks, err
	}
	ack, err := s.js.PublishMsgAsync(&nats.Msg{Subject: s.subject(), Data: s.values.sign(data)})
	if err != nil {
		return acks, err
	}
	return append(acks, ack), nil
}
