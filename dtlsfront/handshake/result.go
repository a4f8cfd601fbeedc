package handshake

import (
	"bytes"
	"crypto/x509"
	"encoding/gob"
	"errors"
	"fmt"

	"radsec-gw/dtlsfront/record"
)

// Result is what a handshake has negotiated.
type Result struct {
	Suite        uint16
	Certificates []*x509.Certificate // of the client; the first is its own
	PSK          *PSK                // of the client; nil: none
	ClientRandom [32]byte

	Opener *record.Opener // of what the client sends
	Sealer *record.Sealer // of what the server sends
	Seen   uint64         // the client's records below this sequence number have been received
	CID    []byte         // what the client sends its records with; empty: none

	// Finished is the server's Finished, for sending the last flight again; Plain is the next
	// sequence number of epoch 0, which the ChangeCipherSpec before it needs.
	Finished []byte
	Plain    uint64
}

// PSK is a pre-shared key as far as a session needs to know it.
type PSK struct {
	Identity string   // as the client sent it
	Key      [32]byte // SHA-256 of the key
}

// epoch is that of the keys: the first after the handshake.
const epoch = 1

// exported is the part of pion's serialized state that is needed, by the names that pion has.
type exported struct {
	HandshakeComplete    bool
	RemoteSequenceNumber uint64 // the client's next one
	LocalEpoch           uint16
	RemoteEpoch          uint16
	LocalRandom          [32]byte
	RemoteRandom         [32]byte
	CipherSuiteID        uint16
	MasterSecret         []byte
	SequenceNumber       uint64 // the server's next one
	LocalConnectionID    []byte
	RemoteConnectionID   []byte
	IsClient             bool
}

// export returns the state of a complete handshake. Nothing may be sent or received with
// pion afterwards.
func (s *Handshake) export() (*exported, error) {
	state, ok := s.conn.ConnectionState()
	if !ok {
		return nil, errors.New("pion/dtls has no state of a complete handshake")
	}
	data, err := state.MarshalBinary()
	if err != nil {
		return nil, err
	}
	var e exported
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&e); err != nil {
		return nil, err
	}
	if !e.HandshakeComplete || e.LocalEpoch != epoch || e.RemoteEpoch != epoch || e.IsClient || len(e.MasterSecret) != 48 {
		return nil, errors.New("pion/dtls exports another state than expected")
	}
	return &e, nil
}

// Result returns the result of a complete handshake, and closes it.
func (s *Handshake) Result() (*Result, error) {
	e, err := s.export()
	s.Close()
	if err != nil {
		return nil, err
	}
	secrets := record.Secrets{Suite: e.CipherSuiteID, Master: e.MasterSecret, ClientRandom: e.RemoteRandom, ServerRandom: e.LocalRandom}
	client, server, err := secrets.Derive()
	if err != nil {
		return nil, err
	}
	r := &Result{Suite: e.CipherSuiteID, Certificates: s.certs, PSK: s.psk, ClientRandom: e.RemoteRandom,
		Opener: record.NewOpener(client), Sealer: record.NewSealer(server, epoch, e.SequenceNumber, e.RemoteConnectionID),
		Seen: e.RemoteSequenceNumber, CID: e.LocalConnectionID, Plain: s.plain}
	if r.Finished, err = s.finished(record.NewOpener(server), len(e.RemoteConnectionID)); err != nil {
		return nil, err
	}
	return r, nil
}

// finished returns the server's Finished, decrypted from what was sent.
func (s *Handshake) finished(own *record.Opener, sizeCID int) ([]byte, error) {
	for _, datagram := range s.sealed {
		for b := bytes.Clone(datagram); ; { // a datagram may wait to be written
			r, rest, ok := record.Next(b, sizeCID)
			if !ok {
				break
			}
			if r.Epoch == epoch {
				if kind, content, ok := own.Open(&r); ok && kind == record.Handshake && len(content) > 0 && content[0] == typeFinished {
					return content, nil
				}
			}
			b = rest
		}
	}
	return nil, fmt.Errorf("the Finished of pion/dtls was not found in %d datagrams", len(s.sealed))
}

// typeFinished is the type of a Finished (RFC 5246 §7.4).
const typeFinished = 20
