package config

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden is how a Secret is printed.
const hidden = "[secret]"

// Secret is a shared secret (RFC 2865 §3). However it is printed, logged or
// marshalled, it shows as "[secret]"; only Bytes returns it.
type Secret struct{ key string }

// NewSecret wraps key.
func NewSecret(key string) Secret { return Secret{key} }

// Bytes returns a fresh copy of the secret.
func (s Secret) Bytes() []byte { return []byte(s.key) }

// Len returns the secret's length in bytes.
func (s Secret) Len() int { return len(s.key) }

func (Secret) String() string               { return hidden }
func (Secret) GoString() string             { return hidden }
func (Secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Format handles every verb of fmt, so that %x and %d hide it too.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }
