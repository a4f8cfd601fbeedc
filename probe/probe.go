package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"time"

	"layeh.com/radius"
)

// Kind is the kind of request to send.
type Kind string

// The kinds of request.
const (
	Status     Kind = "status"     // Status-Server
	Access     Kind = "access"     // Access-Request
	Accounting Kind = "accounting" // Accounting-Request
	CoA        Kind = "coa"        // CoA-Request
	Disconnect Kind = "disconnect" // Disconnect-Request
)

// code returns the packet code of k.
func (k Kind) code() (radius.Code, error) {
	switch k {
	case Status:
		return radius.CodeStatusServer, nil
	case Access:
		return radius.CodeAccessRequest, nil
	case Accounting:
		return radius.CodeAccountingRequest, nil
	case CoA:
		return radius.CodeCoARequest, nil
	case Disconnect:
		return radius.CodeDisconnectRequest, nil
	}
	return 0, fmt.Errorf("expected status, access, accounting, coa or disconnect, got %q", string(k))
}

// Config says what Run sends, and where.
type Config struct {
	// the server
	Address    string // host:port
	ServerName string // name that the server's certificate must hold; "" is the host of Address
	CAFile     string // CA that the server's certificate must come from, PEM
	CertFile   string // the client's certificate, PEM
	KeyFile    string // its private key, PEM
	DTLS       bool   // RADIUS/DTLS over UDP instead of RADIUS/TLS over TCP
	// A pre-shared key of 16 bytes or more and its identity, instead of certificates: over DTLS
	// only (RFC 9813). "": none.
	PSKIdentity, PSK string

	Version string        // of RADIUS, to offer by ALPN: "1.0", "1.1", "both" or "none"; "" is "both"
	Timeout time.Duration // for the reply, and at most 10 s of it for connecting; 0 is DefaultTimeout

	// the request
	Kind                   Kind
	Secret                 string   // shared secret of the connection; "" is "radsec" (RFC 6614 §2.3), over DTLS "radius/dtls" (RFC 7360 §2.1)
	User                   string   // User-Name; "" for none
	Password               string   // of an Access-Request
	CHAP                   bool     // CHAP instead of PAP; the Request Authenticator is the challenge
	CHAPChallenge          bool     // CHAP with a CHAP-Challenge attribute
	StatusType             string   // Acct-Status-Type: start, interim, stop, on or off; "" is start
	SessionID              string   // Acct-Session-Id; "" for none, and in accounting a random one
	NoMessageAuthenticator bool     // accounting never has one
	Attributes             []string // further ones: "Calling-Station-Id=02-00-00-00-00-01", or by number "26=0x…"
}

// DefaultTimeout is how long Run waits for the reply by default: longer than a gateway with
// its default schedule (30 s) waits for its servers, so that its answer still arrives.
const DefaultTimeout = 35 * time.Second

// SecretDTLS is the secret of RADIUS/DTLS (RFC 7360 §2.1).
const SecretDTLS = "radius/dtls"

// connectTimeout bounds how long Run waits for a connection.
const connectTimeout = 10 * time.Second

// withDefaults returns c with the default of each field that has one and is zero.
func (c Config) withDefaults() Config {
	c.Version = cmp.Or(c.Version, "both")
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	if c.DTLS {
		c.Secret = cmp.Or(c.Secret, SecretDTLS)
	}
	c.Secret = cmp.Or(c.Secret, "radsec")
	c.StatusType = cmp.Or(c.StatusType, "start")
	return c
}

// ConfigError is a mistake in a Config. Its text names the flag of radsec-gw probe that sets the field.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string { return e.Err.Error() }
func (e *ConfigError) Unwrap() error { return e.Err }

// Result is the result of Run. After an error it has what was known until then.
type Result struct {
	TLS      tls.ConnectionState
	Radius11 bool           // the server agreed to RADIUS/1.1 (RFC 9765)
	Sent     []byte         // the request
	Received []byte         // the reply; nil when none arrived
	Reply    *radius.Packet // Received, parsed; hidden values are still hidden
	Took     time.Duration  // from the sending of Sent to the last octet of Received
	Checks   []Check        // what was verified of the reply
}

// Check is the result of one check of a reply or request.
type Check struct {
	Field  string // such as "Response Authenticator"
	OK     bool
	Detail string // "verified", or what is wrong and what to do
}

// Verified reports whether there is a reply that passed every check.
func (r *Result) Verified() bool {
	return r.Reply != nil && allOK(r.Checks)
}

// allOK reports whether every check passed.
func allOK(checks []Check) bool {
	return !slices.ContainsFunc(checks, func(c Check) bool { return !c.OK })
}

// Positive reports whether the reply has the code of success, verified or not.
func (r *Result) Positive() bool {
	return r.Reply != nil && positive(radius.Code(r.Sent[0]), r.Reply.Code)
}

// Run sends the request that cfg describes over a connection of its own, waits for the reply and
// verifies it. Meanwhile it writes a transcript to w. The error is nil only for a verified positive
// reply, and a *ConfigError if cfg is invalid. The Result is never nil.
func Run(ctx context.Context, cfg Config, w io.Writer) (*Result, error) {
	c, r, err := Open(ctx, cfg, w)
	if err == nil {
		c.Close()
	}
	return r, err
}
