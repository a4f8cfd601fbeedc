package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"embed"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"radsec-gw/wire/lanes"
)

// What a Message-Authenticator holds before it is signed does not matter.
// Rules: P18
func TestSignOverOldMessageAuthenticator(t *testing.T) {
	h, ra := NewHasher(), [16]byte(authenticator(7))
	old := pair{80, bytes.Repeat([]byte{0xAA}, 16)}
	reply := assemble(2, 1, authenticator(50), pair{1, []byte("nemo")}, old)
	if err := h.SignReply(reply, &ra, clientSecret(t, "k")); err != nil {
		t.Fatal(err)
	}
	oracleChecks(t, reply, ra[:], "k")
	for _, code := range []Code{1, 4, 12, 40, 43} {
		request := assemble(code, 1, authenticator(50), old, pair{1, []byte("nemo")})
		if err := h.SignRequest(request, serverSecret(t, "k")); err != nil {
			t.Fatal(err)
		}
		oracleChecks(t, request, nil, "k")
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
		if err := NewHasher().VerifyRequest(parsed(t, b), radSecSecret(), everyCheck); err != c.want {
			t.Errorf("a Message-Authenticator %s: expected %v, got %v", c.what, c.want, err)
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

// RFC 2104 §2: keys shorter than, as long as and longer than a block.
// Rules: P18, P24
func TestHMACMatchesTheStandardLibrary(t *testing.T) {
	h := lanes.New(2, MaxLength)
	for _, n := range []int{1, 6, 16, 32, 63, 64, 65, 200, 300} {
		key := bytes.Repeat([]byte{byte(n)}, n)
		s := serverSecret(t, string(key))
		for _, size := range []int{20, 63, 64, 65, 4096} {
			message := bytes.Repeat([]byte{7}, size)
			mac := hmac.New(md5.New, key)
			mac.Write(message)
			_, b := h.Add(s.inner, size)
			copy(b, message)
			outer, inner := h.Then(s.outer, md5.Size, 0)
			clear(inner)
			h.Run()
			if !bytes.Equal(mac.Sum(nil), h.Sum(outer)[:]) {
				t.Errorf("key of %d octets, message of %d: HMAC differs", n, size)
			}
			h.Reset()
		}
	}
}
