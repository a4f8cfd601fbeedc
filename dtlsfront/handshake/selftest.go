package handshake

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/protocol"

	"radsec-gw/dtlsfront/hello"
	"radsec-gw/dtlsfront/record"
)

// selfTestTimeout is how long the handshake of SelfTest may take. It takes milliseconds.
const selfTestTimeout = 10 * time.Second

// SelfTest does a handshake with a client of pion's in memory, and exchanges a record each way
// with the keys that were handed over. An error means that this pion/dtls is not the one that
// this package was written for: a server must not listen.
func SelfTest(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, selfTestTimeout)
	defer cancel()
	certificate, err := ephemeral()
	if err != nil {
		return err
	}
	client, err := dtls.DetachedClient(peer, dtls.WithCertificates(certificate), dtls.WithInsecureSkipVerify(true),
		dtls.WithMaxVersion(protocol.Version1_2), dtls.WithLoggerFactory(silent{}))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Start(ctx); err != nil {
		return err
	}
	t := selfTest{client: client, config: &Config{Certificate: certificate, Verify: func([]*x509.Certificate) error { return nil }}}
	defer t.close()
	result, err := t.run(ctx)
	if err != nil {
		return fmt.Errorf("self-test of the DTLS handshake: %w", err)
	}
	if err := t.exchange(result); err != nil {
		return fmt.Errorf("self-test of the DTLS records: %w", err)
	}
	return nil
}

// selfTest is a client, and the server's handshake with it.
type selfTest struct {
	client   *dtls.DetachedConn
	config   *Config
	server   *Handshake // nil: no cookie has been returned yet
	received [][]byte   // by the client, decrypted
}

func (t *selfTest) close() {
	if t.server != nil {
		t.server.Close()
	}
}

// run exchanges datagrams until the handshake is complete. No flight can be lost, so a round
// without a datagram of the client is an error.
func (t *selfTest) run(ctx context.Context) (*Result, error) {
	for datagrams := t.sent(); len(datagrams) > 0; datagrams = t.sent() {
		for _, d := range datagrams {
			if err := t.deliver(ctx, d); err != nil {
				return nil, err
			}
		}
		if t.server == nil {
			continue
		}
		done, err := t.server.Send(func(b []byte) { t.client.HandleDatagram(b, peer) })
		if err != nil {
			return nil, err
		}
		if done {
			return t.server.Result()
		}
	}
	return nil, errors.New("it stopped before it was complete")
}

// deliver gives a datagram of the client to the server.
func (t *selfTest) deliver(ctx context.Context, d []byte) (err error) {
	if t.server != nil {
		t.server.Receive(d)
		return nil
	}
	h, ok := hello.Parse(d)
	if !ok {
		return errors.New("the ClientHello of pion/dtls was not understood")
	}
	cookie := []byte("twenty octets of it.")
	if len(h.Cookie) == 0 {
		return t.client.HandleDatagram(h.AppendVerifyRequest(nil, cookie), peer)
	}
	if !bytes.Equal(h.Cookie, cookie) {
		return errors.New("the client returned another cookie")
	}
	t.server, err = Start(ctx, t.config, &h, d, func([]byte) {})
	return err
}

// exchange sends a record each way.
func (t *selfTest) exchange(r *Result) error {
	t.sent()
	ping, pong := []byte("ping"), []byte("pong")
	if _, err := t.client.Write(ping); err != nil {
		return err
	}
	for _, d := range t.sent() {
		rec, _, ok := record.Next(d, 0)
		if !ok {
			return errors.New("the client sent something else than a record")
		}
		if kind, content, ok := r.Opener.Open(&rec); !ok || kind != record.ApplicationData || !bytes.Equal(content, ping) {
			return errors.New("what the client sent could not be decrypted")
		}
	}
	if err := t.client.HandleDatagram(r.Sealer.Seal(nil, record.ApplicationData, pong), peer); err != nil {
		return err
	}
	t.sent()
	if len(t.received) != 1 || !bytes.Equal(t.received[0], pong) {
		return errors.New("the client could not decrypt what was sent")
	}
	return nil
}

// sent returns the next datagrams of the client.
func (t *selfTest) sent() (datagrams [][]byte) {
	for {
		switch e := t.client.NextEvent(); e.Kind {
		case dtls.DetachedNoEvent:
			return datagrams
		case dtls.DetachedWriteDatagrams:
			datagrams = append(datagrams, e.Datagrams...)
		case dtls.DetachedApplicationData:
			t.received = append(t.received, e.Data)
		}
	}
}

// ephemeral returns a certificate for both ends.
func ephemeral() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
