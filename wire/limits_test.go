package wire

import (
	"slices"
	"strings"
	"testing"
)

// filling returns attributes of type t that take n octets in all, n at least 2.
func filling(t byte, n int) (list []pair) {
	for n > 0 {
		size := min(n, 255)
		if n-size == 1 { // no attribute has one octet
			size--
		}
		list = append(list, pair{t, make([]byte, size-2)})
		n -= size
	}
	return list
}

// A packet of exactly 4096 octets is written, one of 4097 is not, whatever the
// buffer would take (RFC 2865 §3).
// Rules: P1, P15
func TestExactly4096(t *testing.T) {
	const head, mac = 20, 18 // of what is written: header, Message-Authenticator
	chap := pair{3, make([]byte, 17)}
	mine, theirs := RadSecSecret(), serverSecret(t, "server")
	request := func(list ...pair) *View { return parsed(t, assemble(1, 7, authenticator(1), list...)) }
	none := request()
	for _, c := range []struct {
		what  string
		write func(dst []byte, more int) (int, error) // more octets than fit
	}{
		{"answer with Proxy-State", func(dst []byte, more int) (int, error) {
			return NewHasher().WriteAnswer(dst, request(filling(33, 4096-head-mac+more)...), Answer{Code: 3}, mine)
		}},
		{"answer with text", func(dst []byte, more int) (int, error) {
			text := 4096 - head - mac - 6 - 16*2 + more // in 16 attributes, beside an Error-Cause
			return NewHasher().WriteAnswer(dst, none, Answer{Code: 3, ErrorCause: 502, ReplyMessage: strings.Repeat("x", text)}, mine)
		}},
		{"request", func(dst []byte, more int) (int, error) {
			return NewHasher().WriteRequest(dst, request(filling(1, 4096-head-mac+more)...), mine, theirs, 1)
		}},
		{"request with CHAP-Challenge added", func(dst []byte, more int) (int, error) {
			list := append(filling(1, 4096-head-mac-19-18+more), chap)
			return NewHasher().WriteRequest(dst, request(list...), mine, theirs, 1)
		}},
		{"accounting", func(dst []byte, more int) (int, error) {
			v := parsed(t, assemble(4, 7, nil, filling(1, 4096-head)...))
			if more > 0 { // nothing is added, so nothing can be too long
				return 0, ErrTooLong
			}
			return NewHasher().WriteRequest(dst, v, mine, theirs, 1)
		}},
		{"reply", func(dst []byte, more int) (int, error) {
			v := parsed(t, assemble(3, 1, nil, filling(25, 4096-head-mac+more)...))
			return NewHasher().WriteReply(dst, v, none, (*[16]byte)(authenticator(9)), theirs, mine)
		}},
		{"reply with Proxy-State", func(dst []byte, more int) (int, error) {
			v := parsed(t, assemble(3, 1, nil, filling(25, 2000)...))
			asked := request(filling(33, 4096-head-mac-2000+more)...)
			return NewHasher().WriteReply(dst, v, asked, (*[16]byte)(authenticator(9)), theirs, mine)
		}},
	} {
		for _, dst := range [][]byte{make([]byte, MaxLength), make([]byte, 0, MaxLength), make([]byte, 2*MaxLength)} {
			if n, err := c.write(dst, 0); n != 4096 || err != nil {
				t.Errorf("%s, buffer of %d octets: expected 4096 octets, got %d, %v", c.what, cap(dst), n, err)
			}
			if _, err := c.write(dst, 1); err != ErrTooLong {
				t.Errorf("%s, one octet more than fits, buffer of %d octets: expected ErrTooLong, got %v", c.what, cap(dst), err)
			}
		}
	}
}

// A text is cut into attributes of 253 octets, and none is empty.
// Rules: P15
func TestTextOfEveryLength(t *testing.T) {
	request := parsed(t, assemble(1, 7, nil))
	for _, c := range []struct {
		text int
		want []int
	}{{0, nil}, {1, []int{1}}, {252, []int{252}}, {253, []int{253}}, {254, []int{253, 1}}, {506, []int{253, 253}}, {507, []int{253, 253, 1}}} {
		dst := make([]byte, MaxLength)
		n, err := NewHasher().WriteAnswer(dst, request, Answer{Code: 3, ReplyMessage: strings.Repeat("x", c.text)}, RadSecSecret())
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, p := range only(pairs(dst[:n]), 18) {
			got = append(got, len(p.value))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("text of %d octets: expected Reply-Messages of %d octets, got %d", c.text, c.want, got)
		}
	}
}
