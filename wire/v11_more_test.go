package wire

import (
	"bytes"
	"errors"
	"testing"
)

// A request of RADIUS/1.1 takes a place as any other, and its ticket is its own.
// Rules: P129
func TestPlacesOf11(t *testing.T) {
	d, client := NewDigests(), RadSecSecret()
	wrong := parsed(t, assemble(1, 1, authenticator(1), pair{80, make([]byte, 16)}))
	modern := parsed11(t, assemble11(1, 9, pair{1, []byte("nemo")}))
	tickets := map[Ticket]error{}
	for i := range MaxDigests {
		v, want := wrong, ErrMessageAuthenticator
		if i%2 == 1 {
			v, want = modern, nil
		}
		ticket, err := d.VerifyRequest(v, client, everyCheck)
		if err != nil {
			t.Fatal(err)
		}
		tickets[ticket] = want
	}
	if len(tickets) != MaxDigests {
		t.Errorf("expected %d tickets, got %d", MaxDigests, len(tickets))
	}
	if _, err := d.VerifyRequest(modern, client, everyCheck); err != ErrFull {
		t.Errorf("one more: expected ErrFull, got %v", err)
	}
	d.Run()
	for ticket, want := range tickets {
		if err := d.Result(ticket); err != want {
			t.Errorf("ticket %d: expected %v, got %v", ticket, want, err)
		}
	}
}

// A Message-Authenticator is not seen in RADIUS/1.1; what else is looked for is.
// Rules: P125
func TestParse11SeesTheRest(t *testing.T) {
	list := []pair{{80, make([]byte, 16)}, {1, []byte("u")}, {24, []byte("s")}, {31, []byte("c")}, {32, []byte("n")}, {4, make([]byte, 4)},
		{33, []byte("p")}, {55, []byte{0, 0, 0, 9}}, {79, []byte{2, 7}}, {101, []byte{0, 0, 1, 0xf6}}, {126, []byte("1o")}, {2, []byte("x")}}
	for range list {
		list = append(list[1:], list[0])
		v := parsed11(t, assemble11(1, 9, list...))
		_, hasTime := v.EventTimestamp()
		id, hasID := v.EAPIdentifier()
		switch {
		case v.HasMessageAuthenticator():
			t.Error("a Message-Authenticator was seen")
		case string(v.UserName()) != "u", string(v.State()) != "s", string(v.CallingStationID()) != "c", string(v.NASIdentifier()) != "n",
			len(v.NASIPAddress()) != 4, !v.HasProxyState(), !hasTime, !hasID || id != 7, v.ErrorCause() != 502, string(v.OperatorName()) != "1o", !v.HasUserPassword():
			t.Errorf("something is not seen of % x", v.Packet)
		}
	}
}

// The TLVs of a container grow; a row of them that fits into no packet is ErrTooLong.
// Rules: P15, P127
func TestContainerThatOutgrows11(t *testing.T) {
	for count, want := range map[int]error{1: nil, 12: nil, 13: nil, 190: nil, 194: nil, 204: ErrTooLong, 205: ErrTooLong, 300: ErrTooLong, 900: ErrTooLong} {
		row := bytes.Repeat([]byte{3, 2}, count) // each is 20 octets when it is hidden
		var sizes []int
		for n := len(row); n > 240; n -= 240 {
			sizes = append(sizes, 240)
		}
		list := splitWiMAX(86, row, sizes...)
		got, _, err := toServer(t, list...)
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%d TLVs: expected %v, got %v", count, want, err)
			continue
		}
		if value := joinWiMAX(got); err == nil && len(value) != 20*count {
			t.Errorf("%d TLVs: expected %d octets, got %d", count, 20*count, len(value))
		}
	}
}
