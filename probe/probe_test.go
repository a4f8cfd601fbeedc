package probe

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"
)

// runCase is a RadSec server that answers as answer says, and what Run makes of it.
type runCase struct {
	name     string
	cfg      Config
	answer   func(t *testing.T, r *radius.Packet) []byte // nil closes the connection; empty sends nothing
	verified bool
	positive bool // where verified, too, Run returns no error
	want     []string
}

var access = Config{Kind: Access, User: "bob", Password: "hello"}

// A RadSec server that answers as each case says: what Run returns and writes.
// Rules: P16, P18, P19, P50
func TestRun(t *testing.T) {
	dir := testCertificates(t)
	for _, c := range append(append(accepted, refused...), broken...) {
		t.Run(c.name, func(t *testing.T) {
			address := answerOnce(t, dir, func(request []byte) []byte {
				r, err := radius.Parse(request, []byte("radsec"))
				if err != nil {
					t.Errorf("the request is malformed: %v", err)
					return nil
				}
				return c.answer(t, r)
			})
			r, said, err := run(dir, address, c.cfg)
			if r.Verified() != c.verified || r.Positive() != c.positive {
				t.Errorf("the reply is verified: %v, positive: %v; want %v, %v", r.Verified(), r.Positive(), c.verified, c.positive)
			}
			if (err == nil) != (c.verified && c.positive) {
				t.Errorf("error %v, want one only if the reply is not both", err)
			}
			checkTranscript(t, said, c.want)
		})
	}
}

// Replies that are verified and positive.
var accepted = []runCase{
	{"accepted", access, func(t *testing.T, r *radius.Packet) []byte {
		if got := rfc2865.UserPassword_GetString(r); got != "hello" {
			t.Errorf("the server reads the password %q, want hello", got)
		}
		return signedReply(t, r, radius.CodeAccessAccept, replyMessage("welcome"))
	}, true, true, []string{"Response Authenticator: verified", "Message-Authenticator: verified", `Reply-Message = "welcome"`, "verified Access-Accept"}},
	{"CHAP", Config{Kind: Access, User: "bob", Password: "hello", CHAP: true}, func(t *testing.T, r *radius.Packet) []byte {
		chap := rfc2865.CHAPPassword_Get(r)
		if want := md5.Sum(slices.Concat(chap[:1], []byte("hello"), r.Authenticator[:])); !bytes.Equal(chap[1:], want[:]) {
			t.Error("the CHAP response does not fit the Request Authenticator")
		}
		return signedReply(t, r, radius.CodeAccessAccept)
	}, true, true, []string{"verified Access-Accept"}},
	{"accepted without Message-Authenticator", access, func(t *testing.T, r *radius.Packet) []byte {
		return mustSign(t, r.Response(radius.CodeAccessAccept))
	}, true, true, []string{"Message-Authenticator: absent", "verified Access-Accept"}},
	{"status", Config{Kind: Status}, func(t *testing.T, r *radius.Packet) []byte {
		return signedReply(t, r, radius.CodeAccessAccept)
	}, true, true, []string{"verified Access-Accept"}},
	{"accounting", Config{Kind: Accounting, StatusType: "on"}, func(t *testing.T, r *radius.Packet) []byte {
		return mustSign(t, r.Response(radius.CodeAccountingResponse))
	}, true, true, []string{"Acct-Status-Type = 7 (Accounting-On)", "verified Accounting-Response"}},
	{"CoA", Config{Kind: CoA, User: "bob"}, func(t *testing.T, r *radius.Packet) []byte {
		return signedReply(t, r, radius.CodeCoAACK)
	}, true, true, []string{"verified CoA-ACK"}},
	{"CoA, Message-Authenticator over zeros", Config{Kind: CoA, User: "bob"}, func(t *testing.T, r *radius.Packet) []byte {
		p := r.Response(radius.CodeCoAACK)
		AddMessageAuthenticator(p)
		p.Authenticator = [16]byte{}
		mustSign(t, p)
		p.Authenticator = r.Authenticator
		b, _ := p.Encode()
		return b
	}, true, true, []string{"verified (over a zero authenticator)", "verified CoA-ACK"}},
}

// Replies that are negative, or do not verify.
var refused = []runCase{
	{"EAP without Message-Authenticator", access, func(t *testing.T, r *radius.Packet) []byte {
		p := r.Response(radius.CodeAccessAccept)
		p.Add(rfc2869.EAPMessage_Type, radius.Attribute{3, 1, 0, 4})
		return mustSign(t, p)
	}, false, true, []string{"absent, but required with EAP-Message"}},
	{"another secret", access, func(t *testing.T, r *radius.Packet) []byte {
		p := r.Response(radius.CodeAccessAccept)
		p.Secret = []byte("another")
		AddMessageAuthenticator(p)
		return mustSign(t, p)
	}, false, true, []string{"Response Authenticator: WRONG", "Message-Authenticator: WRONG", "-secret", "does not verify"}},
	{"wrong Message-Authenticator", access, func(_ *testing.T, r *radius.Packet) []byte {
		p := r.Response(radius.CodeAccessAccept)
		p.Add(rfc2869.MessageAuthenticator_Type, make(radius.Attribute, 16))
		b, _ := p.Encode()
		return b
	}, false, true, []string{"Response Authenticator: verified", "Message-Authenticator: WRONG", "does not verify"}},
	{"another identifier", access, func(t *testing.T, r *radius.Packet) []byte {
		r.Identifier++
		return signedReply(t, r, radius.CodeAccessAccept)
	}, false, true, []string{"Identifier: WRONG"}},
	{"rejected", access, func(t *testing.T, r *radius.Packet) []byte {
		return signedReply(t, r, radius.CodeAccessReject, replyMessage("no"))
	}, true, false, []string{"Message-Authenticator: verified", `the answer is Access-Reject: Reply-Message = "no"`}},
	{"Disconnect refused", Config{Kind: Disconnect, SessionID: "7"}, func(t *testing.T, r *radius.Packet) []byte {
		return signedReply(t, r, radius.CodeDisconnectNAK, &radius.AVP{Type: rfc3576.ErrorCause_Type, Attribute: radius.NewInteger(503)})
	}, true, false, []string{"Error-Cause = 503 (Session-Context-Not-Found: there is no such session)", "the answer is Disconnect-NAK"}},
}

// What is not a reply at all.
var broken = []runCase{
	{"closed", access, func(*testing.T, *radius.Packet) []byte { return nil }, false, false,
		[]string{"closed the connection", "-secret"}},
	{"silent", Config{Kind: Access, User: "bob", Password: "hello", Timeout: 300 * time.Millisecond}, func(*testing.T, *radius.Packet) []byte { return []byte{} }, false, false,
		[]string{"none arrived within 300ms", "/metrics"}},
	{"not RADIUS", access, func(*testing.T, *radius.Packet) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n") }, false, false,
		[]string{"Length of", "RFC 2865"}},
	{"attribute past the end", access, func(_ *testing.T, r *radius.Packet) []byte {
		return append([]byte{2, r.Identifier, 0, 22}, append(make([]byte, 16), 18, 9)...)
	}, false, false, []string{"malformed"}},
}

// A Config that is invalid.
func TestRunConfigError(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no kind":                {},
		"an unknown kind":        {Kind: "ping"},
		"no user":                {Kind: Access},
		"an unknown status type": {Kind: Accounting, StatusType: "begin"},
		"no session":             {Kind: CoA},
		"no value":               {Kind: Status, Attributes: []string{"Class"}},
		"no port":                {Kind: Status, Address: "localhost"},
		"an unknown version":     {Kind: Status, Version: "2"},
	} {
		if _, err := Run(context.Background(), cfg, io.Discard); !isConfigError(err) {
			t.Errorf("%s: error %v, want a *ConfigError", name, err)
		}
	}
}

// Run stops waiting for the reply when its context ends.
func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	dir := testCertificates(t)
	address := answerOnce(t, dir, func([]byte) []byte { cancel(); return []byte{} })
	cfg := access
	cfg.Address, cfg.CAFile, cfg.CertFile, cfg.KeyFile = address, dir+"/ca.pem", dir+"/client.pem", dir+"/client.key"
	if _, err := Run(ctx, cfg, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func signedReply(t *testing.T, r *radius.Packet, code radius.Code, attributes ...*radius.AVP) []byte {
	t.Helper()
	p := r.Response(code)
	p.Attributes = attributes
	AddMessageAuthenticator(p)
	return mustSign(t, p)
}

// replyMessage returns a Reply-Message.
func replyMessage(text string) *radius.AVP {
	return &radius.AVP{Type: rfc2865.ReplyMessage_Type, Attribute: radius.Attribute(text)}
}

func mustSign(t *testing.T, p *radius.Packet) []byte {
	t.Helper()
	b, err := Sign(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
