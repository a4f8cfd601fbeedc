package load

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/gob"
	"errors"
	"net"
	"os"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/crypto/ciphersuite"
	"github.com/pion/dtls/v4/pkg/protocol"

	"radsec-gw/dtlsfront/record"
)

// epoch is that of the keys: the first after the handshake.
const epoch = 1

// handshakePoll is how often pion is asked for retransmissions while nothing arrives.
const handshakePoll = 50 * time.Millisecond

// handshake negotiates the keys. pion does it, on a socket that it does not see, so that it
// can be left afterwards: its own records would cost more than the relay's work, with goroutines
// and allocations for each.
func (c *dtlsConnection) handshake(ctx context.Context, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	h, err := dtls.DetachedClient(c.raw.RemoteAddr(), dtls.WithCertificates(config.Certificates...), dtls.WithRootCAs(config.RootCAs), dtls.WithServerName(config.ServerName),
		dtls.WithMaxVersion(protocol.Version1_2), dtls.WithCipherSuites(ciphersuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)) // the same with every relay
	if err != nil {
		return err
	}
	defer h.Close() // its close_notify stays with it
	if err := h.Start(ctx); err != nil {
		return err
	}
	received := make([]byte, 1<<14)
	for {
		done, err := drive(h, c.raw)
		if err != nil {
			return err
		}
		if done {
			return c.take(h)
		}
		_ = c.raw.SetReadDeadline(time.Now().Add(handshakePoll))
		n, err := c.raw.Read(received)
		switch {
		case err == nil:
			_ = h.HandleDatagram(received[:n], c.raw.RemoteAddr()) // an error comes as an event, too
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		}
	}
}

// drive sends what the handshake wants sent, and reports whether it is complete.
func drive(h *dtls.DetachedConn, to net.Conn) (done bool, err error) {
	for {
		switch e := h.NextEvent(); e.Kind {
		case dtls.DetachedNoEvent:
			return done, nil
		case dtls.DetachedWriteDatagrams:
			for _, d := range e.Datagrams {
				if _, err := to.Write(d); err != nil {
					return false, err
				}
			}
		case dtls.DetachedHandshakeDone:
			done = true
		case dtls.DetachedClosed:
			if e.Err == nil {
				e.Err = errors.New("the relay ended the handshake")
			}
			return false, e.Err
		}
	}
}

// take has the keys of a complete handshake. They are in no method of pion's, but in its
// serialized state, by the names that pion has.
func (c *dtlsConnection) take(h *dtls.DetachedConn) error {
	state, _ := h.ConnectionState()
	data, err := state.MarshalBinary()
	if err != nil {
		return err
	}
	var e struct {
		LocalRandom, RemoteRandom [32]byte
		CipherSuiteID             uint16
		MasterSecret              []byte
		SequenceNumber            uint64 // the client's next one
	}
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&e); err != nil {
		return err
	}
	secrets := record.Secrets{Suite: e.CipherSuiteID, Master: e.MasterSecret, ClientRandom: e.LocalRandom, ServerRandom: e.RemoteRandom}
	own, relays, err := secrets.Derive()
	if err != nil {
		return err
	}
	c.sealer, c.opener = record.NewSealer(own, epoch, e.SequenceNumber, nil), record.NewOpener(relays)
	return c.raw.SetReadDeadline(time.Time{})
}
