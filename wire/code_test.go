package wire

import "testing"

func TestCodeName(t *testing.T) {
	for want, got := range map[string]string{"Protocol-Error": CodeName(52), "Access-Accept": CodeName(2)} {
		if want != got {
			t.Errorf("expected the name %s, got %s", want, got)
		}
	}
}

// RFC 2865 §4, RFC 2866 §4, RFC 5176 §2.3, RFC 5997 §4.1, RFC 7930 §4
// Rules: P6, P16
func TestAnswers(t *testing.T) {
	want := map[Code][]Code{
		1: {2, 3, 11, 52}, 4: {5, 52}, 40: {41, 42, 52}, 43: {44, 45, 52}, 12: {2, 5, 52},
	}
	replies := map[Code]bool{}
	for request := range Code(256) {
		allowed := map[Code]bool{}
		for _, reply := range want[request] {
			allowed[reply], replies[reply] = true, true
		}
		for reply := range Code(256) {
			if Answers(request, reply) != allowed[reply] {
				t.Errorf("code %d answering %d: expected %v", reply, request, allowed[reply])
			}
		}
		if IsRequest(request) != (want[request] != nil) {
			t.Errorf("code %d: IsRequest is wrong", request)
		}
	}
	for c := range Code(256) {
		if IsReply(c) != replies[c] {
			t.Errorf("code %d: IsReply is wrong", c)
		}
	}
}

func TestKindNames(t *testing.T) {
	for k, name := range []string{"access", "accounting", "coa", "disconnect", "status", "other"} {
		if Kind(k).String() != name {
			t.Errorf("kind %d: expected %q, got %q", k, name, Kind(k))
		}
		got, ok := ParseKind(name)
		if routed := Kind(k) <= KindDisconnect; ok != routed || routed && got != Kind(k) {
			t.Errorf("ParseKind(%q): got %v, %v", name, got, ok)
		}
	}
	if Kind(99).String() != "other" {
		t.Error("a kind out of range has no name")
	}
}
