package wire

import (
	"bytes"
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
	mine, theirs := radSecSecret(), serverSecret(t, "server")
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
		n, err := NewHasher().WriteAnswer(dst, request, Answer{Code: 3, ReplyMessage: strings.Repeat("x", c.text)}, radSecSecret())
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

// What is written is one packet, without an octet before or after it: as many as its
// Length says, whatever dst held before (bis §4.1).
// Rules: P4
func TestWrittenIsOnePacketWithoutPadding(t *testing.T) {
	ra := [16]byte(authenticator(90))
	request := parsed(t, assemble(1, 7, authenticator(1), pair{1, []byte("nemo")}, pair{33, []byte("ps")}))
	reply := parsed(t, assemble(2, 200, nil, pair{18, []byte("hello")}, pair{33, []byte("the server's")}))
	client, server := radSecSecret(), serverSecret(t, "server's")
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
			t.Errorf("%s: something was written after it", what)
		}
	}
}

// A packet of exactly 4096 octets, in either direction, and one octet more.
// Rules: P1, P15
func TestExactly4096Of11(t *testing.T) {
	ra := [16]byte(authenticator(90))
	tunnel := pair{69, append([]byte{1}, xs(20)...)}                // hidden: 2 + 1 + 2 + 32 octets
	keys := vsa(311, sub(16, xs(20))...)                            // hidden: 2 + 4 + 2 + 2 + 32
	plain := vsa(311, sub(26, xs(20))...)                           // 2 + 4 + 2 + 20, beside one that is hidden
	two := vsa(311, append(sub(16, xs(20)), sub(26, xs(20))...)...) // 2 + 4 + 2 + 34 + 22
	for _, c := range []struct {
		what string
		last []pair
		size int
	}{
		{"no hidden value", nil, 0},
		{"Tunnel-Password", []pair{tunnel}, 37},
		{"MPPE key", []pair{keys}, 42},
		{"vendor's attribute in clear", []pair{keys, plain}, 42 + 28},
		{"two in one Vendor-Specific", []pair{two}, 64},
		{"another vendor's", []pair{tunnel, vsa(9, 1, 3, 0)}, 37 + 9},
	} {
		for more, want := range []error{nil, ErrTooLong} {
			list := append(filling(18, 4096-38-c.size+more), c.last...)
			_, _, err := toServer(t, list...)
			if err != want {
				t.Errorf("request with %s, %d octets too long: expected %v, got %v", c.what, more, want, err)
			}
		}
	}
	reply := parsed(t, assemble(2, 1, nil, filling(18, 2000)...))
	for more, want := range []error{nil, ErrTooLong} {
		request := parsed11(t, assemble11(1, 9, filling(33, 4096-20-2000+more)...))
		for _, dst := range [][]byte{make([]byte, 0, MaxLength), make([]byte, 2*MaxLength)} {
			n, err := NewHasher().WriteReply(dst, reply, request, &ra, serverSecret(t, key11), radSecSecret())
			if err != want || err == nil && n != 4096 {
				t.Errorf("reply, %d octets too long: expected %v, got %d octets, %v", more, want, n, err)
			}
		}
	}
}
