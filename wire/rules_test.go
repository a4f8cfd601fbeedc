package wire

import (
	"bytes"
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"layeh.com/radius"
)

// A packet of any code may have 20 to 4096 octets, accounting, too, where RFC 2866 §3
// says 4095; fewer and more are no packet, even where a buffer holds them.
// Rules: P1
func TestPacketsOf20To4096Octets(t *testing.T) {
	for code := range 256 {
		for _, n := range []int{19, 20, 22, 4095, 4096, 4097} {
			b := make([]byte, n)
			b[0], b[2], b[3] = byte(code), byte(n>>8), byte(n)
			for at := 20; at < n; { // attributes of unknown types, the last as long as there is room
				size := min(n-at, 255)
				if n-at-size == 1 {
					size--
				}
				b[at], b[at+1] = 250, byte(size)
				at += size
			}
			good := n >= 20 && n <= 4096
			length, cutErr := Cut(b)
			if good != (cutErr == nil) || good && length != len(b) {
				t.Errorf("code %d, %d octets: Cut gave %d, %v", code, len(b), length, cutErr)
			}
			if err := new(View).Parse(b); good != (err == nil) {
				t.Errorf("code %d, %d octets: Parse gave %v", code, len(b), err)
			}
		}
	}
}

// What is written is one packet, with not an octet before or behind it: as many as its
// Length says, whatever dst held before (bis §4.1).
// Rules: P4
func TestWrittenIsOnePacketWithoutPadding(t *testing.T) {
	ra := [16]byte(authenticator(90))
	request := parsed(t, assemble(1, 7, authenticator(1), pair{1, []byte("nemo")}, pair{33, []byte("ps")}))
	reply := parsed(t, assemble(2, 200, nil, pair{18, []byte("hello")}, pair{33, []byte("the server's")}))
	client, server := RadSecSecret(), serverSecret(t, "server's")
	for what, write := range map[string]func(h *Hasher, dst []byte) (int, error){
		"a request": func(h *Hasher, dst []byte) (int, error) { return h.WriteRequest(dst, request, client, server, 9) },
		"a reply": func(h *Hasher, dst []byte) (int, error) {
			return h.WriteReply(dst, reply, request, &ra, server, client)
		},
		"an answer": func(h *Hasher, dst []byte) (int, error) {
			return h.WriteAnswer(dst, request, Answer{Code: 3, ErrorCause: 502}, client)
		},
	} {
		dst := bytes.Repeat([]byte{0xee}, MaxLength)
		n, err := write(NewHasher(), dst)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if length, err := Cut(dst[:n]); length != n || err != nil {
			t.Errorf("%s: %d octets were written, of which %d are a packet (%v)", what, n, length, err)
		}
		if dst[n] != 0xee {
			t.Errorf("%s: something was written behind it", what)
		}
	}
}

// A Message-Authenticator in an Accounting-Request counts, though the Request
// Authenticator alone proves the packet: over zeros, as in CoA (RFC 5176 §3.4).
// Rules: C5
func TestMessageAuthenticatorOfAccountingIsVerified(t *testing.T) {
	for _, c := range []struct {
		what   string
		vector []byte
		want   error
	}{
		{"over zeros", make([]byte, 16), nil},
		{"over the Request Authenticator", nil, ErrMessageAuthenticator},
		{"over something else", authenticator(9), ErrMessageAuthenticator},
	} {
		b := assemble(4, 5, nil, pair{1, []byte("nemo")}, ma)
		mac := len(b) - 16
		for range 2 { // the Request Authenticator covers what is computed over it
			vector := c.vector
			if vector == nil {
				vector = bytes.Clone(b[4:20])
			}
			copy(b[mac:], macOf(b, vector, "radsec"))
			copy(b[4:20], md5Of(b[:4], make([]byte, 16), b[20:], []byte("radsec")))
		}
		if err := NewHasher().VerifyRequest(parsed(t, b), RadSecSecret(), everyCheck); err != c.want {
			t.Errorf("a Message-Authenticator %s: expected %v, got %v", c.what, c.want, err)
		}
	}
}

// A Status-Server is about one hop and never written for the next (RFC 5997 §4.4).
// Rules: P75
func TestStatusServerIsNotWrittenForAServer(t *testing.T) {
	if err := requestError(t, assemble(12, 1, authenticator(3), ma, pair{32, []byte("nas")})); err != ErrCode {
		t.Errorf("a Status-Server for a server: expected ErrCode, got %v", err)
	}
}

// Where a Message-Authenticator is required, one that is missing is found before any
// digest is computed: a forged reply is gone before its MD5 can match
// (draft-ietf-radext-deprecating-radius §5.3.1). So it is found whatever the Response
// Authenticator, and takes no place among the digests.
// Rules: P49
func TestMissingMessageAuthenticatorIsFoundBeforeDigests(t *testing.T) {
	ra := [16]byte(authenticator(40))
	for _, code := range []Code{2, 3, 11, 52} {
		d := NewDigests()
		forged := parsed(t, assemble(code, 5, authenticator(99), pair{18, []byte("hello")}))
		if _, err := d.VerifyReply(forged, radius.CodeAccessRequest, &ra, serverSecret(t, "xyzzy5461"), true); err != ErrNoMessageAuthenticator {
			t.Errorf("code %d with a wrong Response Authenticator and no Message-Authenticator: expected ErrNoMessageAuthenticator, got %v", code, err)
		}
		if n := len(d.queue); n != 0 {
			t.Errorf("code %d: %d packets wait for digests, expected none", code, n)
		}
	}
}

// sources are the package's files as they were compiled, changed or not.
//
//go:embed *.go
var sources embed.FS

// How long a comparison takes cannot be measured reliably, so its source is read: what
// is computed over a secret is compared by the function equal alone, all of it, and that
// by subtle.ConstantTimeCompare (draft-ietf-radext-deprecating-radius §8.4).
// Rules: P25
func TestAuthenticatorsAreComparedInConstantTime(t *testing.T) {
	files, err := sources.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, f := range files {
		name := f.Name()
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := sources.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "equal" {
					if got := oneLine(n.Body); got != "return subtle.ConstantTimeCompare(digest[:], field) == 1" {
						t.Errorf("%s: equal is %q, expected subtle.ConstantTimeCompare over all octets and nothing else", name, got)
					}
					compared++
				}
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && (digestIn(n.X) || digestIn(n.Y)) {
					t.Errorf("%s: a digest is compared with %v, expected the function equal", name, n.Op)
				}
			case *ast.CallExpr:
				if called := oneLine(n.Fun); strings.HasPrefix(called, "bytes.") && digestIn(n) {
					t.Errorf("%s: a digest is passed to %s, expected the function equal", name, called)
				}
			}
			return true
		})
	}
	if compared != 1 {
		t.Errorf("there are %d functions called equal in package wire, expected one", compared)
	}
}

// digestIn reports whether an expression holds a digest that lanes has computed, and
// does not leave it to equal.
func digestIn(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		called := oneLine(call.Fun)
		found = found || strings.HasSuffix(called, ".lanes.Sum")
		return called != "equal"
	})
	return found
}

// oneLine returns the source of an expression, or of the one statement of a body.
func oneLine(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BlockStmt:
		if len(n.List) != 1 {
			return "several statements"
		}
		return oneLine(n.List[0])
	case *ast.ReturnStmt:
		if len(n.Results) != 1 {
			return "several results"
		}
		return "return " + oneLine(n.Results[0])
	case *ast.BinaryExpr:
		return oneLine(n.X) + " " + n.Op.String() + " " + oneLine(n.Y)
	case *ast.CallExpr:
		var args []string
		for _, a := range n.Args {
			args = append(args, oneLine(a))
		}
		return oneLine(n.Fun) + "(" + strings.Join(args, ", ") + ")"
	case *ast.SelectorExpr:
		return oneLine(n.X) + "." + n.Sel.Name
	case *ast.SliceExpr:
		if n.Low == nil && n.High == nil {
			return oneLine(n.X) + "[:]"
		}
		return oneLine(n.X) + "[part]"
	case *ast.Ident:
		return n.Name
	case *ast.BasicLit:
		return n.Value
	}
	return "something else"
}

// Nothing depends on the order of attributes of different types: wherever they stand,
// the same is found (RFC 2865 §5, draft-ietf-radext-deprecating-radius §8.11).
// Rules: P10
func TestOrderOfTypesDoesNotMatter(t *testing.T) {
	list := []pair{{1, []byte("nemo")}, {24, []byte("state")}, {33, []byte("ps")}, {79, []byte{2, 42, 0, 4}}, ma, {126, []byte("1a")}, {32, []byte("nas")}, {31, []byte("station")}}
	for turn := range list {
		for swap := range list {
			turned := append(slices.Clone(list[turn:]), list[:turn]...)
			turned[0], turned[swap] = turned[swap], turned[0]
			b := oracleSign(assemble(1, 7, authenticator(1), turned...), nil, "radsec")
			v := parsed(t, b)
			got := fmt.Sprintf("%s %s %s %s %s %t %t", v.UserName(), v.State(), v.OperatorName(), v.NASIdentifier(), v.CallingStationID(), v.HasEAP(), v.HasProxyState())
			if want := "nemo state 1a nas station true true"; got != want {
				t.Errorf("%v: found %q, expected %q", turned, got, want)
			}
			if err := NewHasher().VerifyRequest(v, RadSecSecret(), RequestPolicy{RequireMA: true}); err != nil {
				t.Errorf("%v: expected that it verifies, got %v", turned, err)
			}
		}
	}
}

// Several kinds of credentials in one request go on as they came, all of them: which of
// them counts is for the server to say (RFC 2865 §4.1).
// Rules: P17
func TestSeveralKindsOfCredentialsGoOn(t *testing.T) {
	hidden := pair{2, hidePassword(bytes.Repeat([]byte{'p'}, 16), "radsec", authenticator(1))}
	kinds := []pair{hidden, {3, authenticator(3)}, {70, authenticator(4)}, {79, []byte{2, 42, 0, 4}}}
	for some := range 1 << len(kinds) {
		list := []pair{{1, []byte("nemo")}, {60, []byte("challenge")}, ma}
		for i, p := range kinds {
			if some&(1<<i) != 0 {
				list = append(list, p)
			}
		}
		got := serverSees(t, assemble(1, 7, authenticator(1), list...))
		for i, p := range kinds {
			left := only(got, p.t)
			if want := some & (1 << i) >> i; len(left) != want {
				t.Errorf("%v: the server sees %d attributes of type %d, expected %d", list, len(left), p.t, want)
			} else if want == 1 && p.t != 2 && !bytes.Equal(left[0].value, p.value) {
				t.Errorf("%v: the server sees attribute %d as % x", list, p.t, left[0].value)
			}
		}
	}
}

// What a reply gets from its hop stands before or behind its EAP-Messages, and so does
// what a request gets: they stay consecutive (RFC 3579 §3.1).
// Rules: P11
func TestNothingIsPutAmongEAPMessages(t *testing.T) {
	eap, more := pair{79, bytes.Repeat([]byte{1}, 253)}, pair{79, []byte{2}}
	state, chap := pair{33, []byte("ps")}, pair{3, authenticator(3)}
	request := assemble(1, 7, authenticator(1), eap, more, eap, state, chap, state, ma)
	for side, got := range map[string][]pair{
		"the server": serverSees(t, request)[1:],
		"the client": clientSees(t, request, assemble(11, 200, nil, eap, more, eap, pair{24, []byte("s")}, ma)),
	} {
		at := slices.IndexFunc(got, func(p pair) bool { return p.t == 79 })
		for i, p := range []pair{eap, more, eap} {
			if at < 0 || at+i >= len(got) || got[at+i].t != 79 || !bytes.Equal(got[at+i].value, p.value) {
				t.Fatalf("%s sees %v, expected the three EAP-Messages one behind the other", side, got)
			}
		}
		if len(only(got, 79)) != 3 || len(only(got, 80)) != 1 {
			t.Errorf("%s sees %v, expected three EAP-Messages and one Message-Authenticator", side, got)
		}
	}
}

// A Message-Authenticator in an answer to CoA or Disconnect counts, though the Response
// Authenticator alone proves the packet (RFC 5176 §3.4).
// Rules: P52
func TestMessageAuthenticatorOfACKAndNAKIsVerified(t *testing.T) {
	ra, server := [16]byte(authenticator(40)), serverSecret(t, "xyzzy5461")
	for reply, request := range map[Code]Code{41: 40, 42: 40, 44: 43, 45: 43} {
		for _, c := range []struct {
			vector []byte
			want   error
		}{{ra[:], nil}, {make([]byte, 16), nil}, {authenticator(9), ErrMessageAuthenticator}} {
			b := assemble(reply, 5, nil, pair{101, []byte{0, 0, 1, 0xf7}}, ma)
			copy(b[len(b)-16:], macOf(b, c.vector, "xyzzy5461"))
			copy(b[4:20], md5Of(b[:4], ra[:], b[20:], []byte("xyzzy5461")))
			if err := NewHasher().VerifyReply(parsed(t, b), request, &ra, server, false); err != c.want {
				t.Errorf("code %d with a Message-Authenticator over % x: expected %v, got %v", reply, c.vector, c.want, err)
			}
		}
	}
}

// Requests of the gateway's own have authenticators of their own, which nobody can
// foresee where they are not computed (RFC 2865 §3, RFC 5997 §3).
// Rules: P18, P23, P81
func TestBuiltRequestsHaveRandomAuthenticators(t *testing.T) {
	server := serverSecret(t, "server's")
	for _, code := range []Code{1, 12} {
		seen := map[[16]byte]bool{{}: true}
		for range 100 {
			b, err := NewRequest(code, 7).AddMessageAuthenticator().Sign(NewHasher(), server)
			if err != nil {
				t.Fatal(err)
			}
			if ra := [16]byte(b[4:20]); seen[ra] {
				t.Fatalf("code %d: the Request Authenticator % x is zeros or was there before", code, ra)
			}
			seen[[16]byte(b[4:20])] = true
		}
	}
}
