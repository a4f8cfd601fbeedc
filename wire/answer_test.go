package wire

import (
	"strings"
	"testing"

	"layeh.com/radius"
)

// RFC 2865 §2, RFC 5176 §3.1, §3.5, RFC 5997 §3, RFC 3748 §4.2, RFC 7930 §4
// Rules: P30, P34, P50, P77, P96
func TestWriteAnswer(t *testing.T) {
	name, state, eap := pair{1, []byte("nemo")}, pair{33, []byte("ps\x00")}, pair{79, []byte{2, 42, 0, 5, 1}}
	cause, failure := pair{101, []byte{0, 0, 1, 0xf6}}, pair{79, []byte{4, 42, 0, 4}}
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		what    string
		code    Code
		request []pair
		answer  Answer
		first   bool // MA first
		wants   []pair
	}{
		{"reject", 1, []pair{state, name}, Answer{Code: 3, ErrorCause: 502}, true, []pair{cause, state}},
		{"reject ends the EAP conversation", 1, []pair{eap, ma, state}, Answer{Code: 3, EAPFailure: true}, true, []pair{failure, state}},
		{"reject of an EAP-Start", 1, []pair{{79, nil}, ma}, Answer{Code: 3, EAPFailure: true}, true, []pair{{79, []byte{4, 0, 0, 4}}}},
		{"no EAP-Failure where there was no EAP", 1, []pair{name}, Answer{Code: 3, EAPFailure: true}, true, nil},
		{"reject with text", 1, nil, Answer{Code: 3, ReplyMessage: long}, true, []pair{{18, []byte(long[:253])}, {18, []byte(long[253:])}}},
		{"protocol-error", 1, []pair{state}, Answer{Code: 52, ErrorCause: 502, OriginalCode: true}, true, []pair{{241, []byte{4, 0, 0, 0, 1}}, cause, state}},
		{"protocol-error to accounting", 4, []pair{state}, Answer{Code: 52, OriginalCode: true}, true, []pair{{241, []byte{4, 0, 0, 0, 4}}, state}},
		{"NAK", 43, []pair{name, state}, Answer{Code: 45, ErrorCause: 502}, false, []pair{cause, state}},
		{"NAK where the request had MA", 40, []pair{name, ma, state}, Answer{Code: 42, ErrorCause: 502}, true, []pair{cause, state}},
		{"status", 12, []pair{ma}, Answer{Code: 2}, true, nil},
		{"status with text and Proxy-State", 12, []pair{state, ma}, Answer{Code: 2, ReplyMessage: "up"}, true, []pair{{18, []byte("up")}, state}},
	} {
		request := parsed(t, assemble(c.code, 7, authenticator(1), c.request...))
		dst := make([]byte, MaxLength)
		n, err := NewHasher().WriteAnswer(dst, request, c.answer, radSecSecret())
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		oracleChecks(t, dst[:n], authenticator(1), "radsec")
		got := pairs(dst[:n])
		if has := len(got) > 0 && got[0].t == 80; has != c.first {
			t.Errorf("%s: MA first is %v", c.what, has)
		}
		samePairs(t, c.what, c.wants, without(got, 80))
		if dst[0] != byte(c.answer.Code) || dst[1] != 7 {
			t.Errorf("%s: header is % x", c.what, dst[:4])
		}
	}
}

// The gateway never grants or acknowledges anything instead of a server (RFC 2607 §5.1,
// RFC 2866 §4.1): it gives only these answers.
// Rules: P69, P71, P92
func TestWriteAnswerGrantsNothing(t *testing.T) {
	made := map[Code][]Code{1: {3, 11, 52}, 4: {52}, 40: {42, 52}, 43: {45, 52}, 12: {2, 52}}
	h, dst := NewHasher(), make([]byte, MaxLength)
	for request := range Code(256) {
		allowed := map[Code]bool{}
		for _, c := range made[request] {
			allowed[c] = true
		}
		v := parsed(t, assemble(request, 1, nil))
		for answer := range Code(256) {
			_, err := h.WriteAnswer(dst, v, Answer{Code: answer}, radSecSecret())
			if allowed[answer] != (err == nil) || err != nil && err != ErrCode {
				t.Fatalf("answering %d with %d: got %v", request, answer, err)
			}
		}
	}
}

// Only an answer that is declared to acknowledge may be an Accounting-Response, and
// only to an Accounting-Request.
// Rules: AR12, P71
func TestWriteAnswerAcknowledges(t *testing.T) {
	h, dst := NewHasher(), make([]byte, MaxLength)
	for request := range Code(256) {
		for _, acknowledges := range []bool{false, true} {
			_, err := h.WriteAnswer(dst, parsed(t, assemble(request, 1, nil)), Answer{Code: 5, Acknowledges: acknowledges}, radSecSecret())
			if want := request == 4 && acknowledges; want != (err == nil) {
				t.Errorf("Accounting-Response to code %d, declared: %t: got %v", request, acknowledges, err)
			}
		}
	}
	if _, err := h.WriteAnswer(dst, parsed(t, assemble(1, 1, nil)), Answer{Code: 2, Acknowledges: true}, radSecSecret()); err != ErrCode {
		t.Errorf("an Access-Accept that is declared to acknowledge: expected ErrCode, got %v", err)
	}
}

// Rules: P15, P34
func TestWriteAnswerTooLong(t *testing.T) {
	full := make([]pair, 15)
	for i := range full {
		full[i] = pair{33, make([]byte, 253)}
	}
	request := parsed(t, assemble(1, 7, nil, append(full, pair{33, make([]byte, 240)})...))
	_, err := NewHasher().WriteAnswer(make([]byte, MaxLength), request, Answer{Code: radius.CodeAccessReject}, radSecSecret())
	if err != ErrTooLong {
		t.Errorf("Proxy-State that fills the packet: expected ErrTooLong, got %v", err)
	}
	request = parsed(t, assemble(1, 7, nil))
	_, err = NewHasher().WriteAnswer(make([]byte, MaxLength), request, Answer{Code: radius.CodeAccessReject, ReplyMessage: strings.Repeat("x", 5000)}, radSecSecret())
	if err != ErrTooLong {
		t.Errorf("a text that fills the packet: expected ErrTooLong, got %v", err)
	}
}
