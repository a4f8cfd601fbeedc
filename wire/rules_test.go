package wire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"layeh.com/radius"
)

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

// How long a comparison takes cannot be measured reliably, so its source is read: what
// is computed over a secret is compared by the function equal alone, all of it, and that
// by subtle.ConstantTimeCompare (draft-ietf-radext-deprecating-radius §8.4).
// Rules: P25
func TestAuthenticatorsAreComparedInConstantTime(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
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
