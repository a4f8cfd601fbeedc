package wire

import (
	"crypto/rand"
	"fmt"
)

// Builder makes a request of the gateway's own, such as a health check. It
// may allocate. The first mistake is kept and returned by Sign.
type Builder struct {
	packet []byte
	err    error
}

// NewRequest begins a request with a random Request Authenticator, which Sign
// replaces where the code has a computed one.
func NewRequest(code Code, id byte) *Builder {
	b := &Builder{packet: make([]byte, MinLength, 256)}
	b.packet[0], b.packet[1] = byte(code), id
	rand.Read(b.packet[4:20])
	if !IsRequest(code) {
		b.err = fmt.Errorf("build: expected the code of a request, got %d", int(code))
	}
	return b
}

// Add appends an attribute of type t; value has at most 253 octets.
func (b *Builder) Add(t byte, value []byte) *Builder {
	if b.err == nil && len(value) > maxValue {
		b.err = fmt.Errorf("build: attribute %d: expected at most %d octets, got %d", t, maxValue, len(value))
	}
	if b.err == nil {
		b.packet = append(b.packet, t, byte(2+len(value)))
		b.packet = append(b.packet, value...)
	}
	return b
}

// AddText appends text as an attribute of type t.
func (b *Builder) AddText(t byte, text string) *Builder { return b.Add(t, []byte(text)) }

// AddUserPassword appends a User-Password, hidden for the server.
func (b *Builder) AddUserPassword(password []byte, s *ServerSecret) *Builder {
	hidden, err := HidePassword(password, s, (*[16]byte)(b.packet[4:20]))
	if b.err == nil {
		b.err = err
	}
	return b.Add(typeUserPassword, hidden)
}

// AddMessageAuthenticator appends a Message-Authenticator for Sign to fill.
// It should be the first attribute.
func (b *Builder) AddMessageAuthenticator() *Builder {
	return b.Add(typeMessageAuthenticator, make([]byte, 16))
}

// Sign completes the request under s and returns it. The Builder must not be used
// afterwards.
func (b *Builder) Sign(h *Hasher, s *ServerSecret) ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	if len(b.packet) > MaxLength {
		return nil, ErrTooLong
	}
	putLength(b.packet, len(b.packet))
	return b.packet, h.SignRequest(b.packet, s)
}

// SignRequest signs a whole request in place, under the secret shared with the
// server it will go to: its Message-Authenticator, wherever it is, if it has
// one, and the Authenticator field of the codes in which it is computed. An
// Access-Request and a Status-Server keep the Authenticator they have, which
// must be random (RFC 2865 §3, RFC 5176 §2.3, RFC 5997 §3).
//
// Errors: those of View.Parse, ErrMessageAuthenticatorForm, ErrCode.
func (h *Hasher) SignRequest(b []byte, s *ServerSecret) error {
	var v View
	if err := v.Parse(b); err != nil {
		return err
	}
	kind := v.Kind()
	if kind == KindOther {
		return ErrCode
	}
	computed := kind != KindAccess && kind != KindStatus
	if computed {
		clear(b[4:20])
	}
	return h.signOwn(&v, computed, &s.secret)
}

// SignReply signs a whole reply in place as a server would, under the secret
// shared with the client that asked: its Message-Authenticator, wherever it
// is, if it has one, and the Response Authenticator. ra is the Request
// Authenticator it answers. Errors are those of SignRequest.
func (h *Hasher) SignReply(b []byte, ra *[16]byte, s *ClientSecret) error {
	var v View
	if err := v.Parse(b); err != nil {
		return err
	}
	if !IsReply(v.Code()) {
		return ErrCode
	}
	copy(b[4:20], ra[:])
	return h.signOwn(&v, true, &s.secret)
}

// signOwn fills the Message-Authenticator of v, if it has one, and the
// Authenticator field when it is computed.
func (h *Hasher) signOwn(v *View, computed bool, s *secret) error {
	hasMA := v.HasMessageAuthenticator()
	if err := h.one.wellFormed(v, hasMA); err != nil {
		return err
	}
	h.one.sign(v.Packet, int(v.first[slotMessageAuthenticator]), computed, s)
	h.one.Run()
	return nil
}

// HidePassword returns password, of at most 128 octets, padded with zeros to
// whole blocks and hidden as a User-Password (RFC 2865 §5.2) for a request with
// Request Authenticator ra. An empty password is one block of padding.
func HidePassword(password []byte, s *ServerSecret, ra *[16]byte) ([]byte, error) {
	if len(password) > maxPassword {
		return nil, fmt.Errorf("User-Password: expected at most %d octets, got %d", maxPassword, len(password))
	}
	hidden := make([]byte, wholeBlocks(len(password)))
	copy(hidden, password)
	new(cipher).hideBlocks(hidden, &hop{s.key, ra}, nil)
	return hidden, nil
}
