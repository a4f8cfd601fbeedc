package handshake

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/pion/dtls/v4"

	"radsec-gw/dtlsfront/hello"
	"radsec-gw/dtlsfront/record"
)

// Handshake is the handshake with one client. Its methods must not be called concurrently.
type Handshake struct {
	conn *dtls.DetachedConn
	// What the client has shown; written by pion's goroutine while Receive waits for it.
	certs   []*x509.Certificate
	psk     *PSK
	refusal error // of its PSK

	offset uint64   // what is added to pion's sequence numbers of epoch 0
	plain  uint64   // the next sequence number of epoch 0
	sealed [][]byte // the datagrams with encrypted records that were sent
	done   bool
}

// Start starts a handshake with a ClientHello that returns a valid cookie. datagram begins
// with it. The handshake ends when ctx is done. An error may come with an alert for the client,
// which is given to write: see Send.
func Start(ctx context.Context, c *Config, h *hello.Hello, datagram []byte, write func([]byte)) (*Handshake, error) {
	s := &Handshake{}
	if h.Sequence < record.MaxSequence/2 {
		s.offset = h.Sequence
	}
	var err error
	if s.conn, err = dtls.DetachedServer(peer, c.options(s)...); err != nil {
		return nil, err
	}
	if err := s.start(ctx, h, datagram); err != nil {
		s.Send(write)
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Handshake) start(ctx context.Context, h *hello.Hello, datagram []byte) error {
	if err := s.conn.Start(ctx); err != nil {
		return err
	}
	if err := s.conn.HandleDatagram(h.WithoutCookie(), peer); err != nil {
		return err
	}
	request := s.conn.NextEvent()
	if request.Kind != dtls.DetachedWriteDatagrams || len(request.Datagrams) != 1 {
		return fmt.Errorf("pion/dtls did not answer the ClientHello with one datagram: event %d", request.Kind)
	}
	if err := replaceCookie(s.conn, request.Datagrams[0], h.Cookie); err != nil {
		return err
	}
	// RFC 6347 §4.2.1: the ServerHello has the sequence number of the ClientHello's record.
	// pion has used 0 for its HelloVerifyRequest, and goes on with 1.
	if s.offset > 0 {
		s.offset--
	}
	s.Receive(datagram)
	return nil
}

// Receive handles a datagram of the client. pion computes while it is called.
func (s *Handshake) Receive(datagram []byte) {
	s.conn.HandleDatagram(datagram, peer) // an error comes as an event, too
}

// Ready returns a channel that receives when there may be something to send, or the handshake
// has ended: Send must be called.
func (s *Handshake) Ready() <-chan struct{} { return s.conn.EventReady() }

// PSK returns the PSK whose identity the client has sent; nil: none. That the client has its key
// is certain when the handshake is complete.
func (s *Handshake) PSK() *PSK { return s.psk }

// errEnded says that pion ended without an error.
var errEnded = errors.New("the handshake ended")

// Send gives all datagrams that are to be sent to write, which may keep them. It reports
// whether the handshake is complete; an error says why it has failed.
func (s *Handshake) Send(write func([]byte)) (done bool, err error) {
	for {
		e := s.conn.NextEvent()
		switch e.Kind {
		case dtls.DetachedNoEvent:
			return s.done, err
		case dtls.DetachedWriteDatagrams:
			for _, d := range e.Datagrams {
				s.renumber(d)
				write(d)
			}
		case dtls.DetachedHandshakeDone:
			s.done = true
		case dtls.DetachedClosed:
			if err = cmp.Or(s.refusal, e.Err); err == nil {
				err = errEnded
			}
		}
	}
}

// renumber adds the offset to the sequence numbers of a datagram's records of epoch 0, which
// nothing authenticates. It keeps the datagrams that have others.
func (s *Handshake) renumber(datagram []byte) {
	sealed := false
	for b := datagram; ; {
		r, rest, ok := record.Next(b, 0)
		if !ok {
			sealed = sealed || len(b) > 0 // a record with a Connection ID
			break
		}
		if r.Epoch == 0 {
			record.SetSequence(b, r.Sequence+s.offset)
			s.plain = r.Sequence + s.offset + 1
		} else {
			sealed = true
		}
		b = rest
	}
	if sealed && len(s.sealed) < maxSealed {
		s.sealed = append(s.sealed, datagram)
	}
}

// maxSealed is how many datagrams with encrypted records are kept: the flight that ends the
// handshake has one, and it may be sent again until it is known to be complete.
const maxSealed = 4

// Close ends the handshake, and frees what pion holds. What pion would send then is not sent.
func (s *Handshake) Close() {
	s.conn.Close()
	for s.conn.NextEvent().Kind != dtls.DetachedNoEvent {
	}
}
