package ports

import (
	"io"
	"net"
	"slices"
	"testing"
)

// Ports differ, can be opened, and are not those that a system gives to connections.
func TestPorts(t *testing.T) {
	for name, get := range map[string]func(int) ([]int, error){"TCP": TCP, "UDP": UDP} {
		list, err := get(20)
		if err != nil || len(list) != 20 {
			t.Fatalf("%s: expected 20 ports, got %d, %v", name, len(list), err)
		}
		slices.Sort(list)
		if len(slices.Compact(list)) != 20 || list[0] < first || list[19] > last {
			t.Errorf("%s: expected different ports from %d to %d, got %v", name, first, last, list)
		}
	}
	free, err := Address()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", free)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// What is in use is passed over; when everything is, or something else is wrong, an error says so.
func TestPortsInUse(t *testing.T) {
	inUse := func(address string) (io.Closer, error) {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return net.Listen("tcp4", l.Addr().String())
	}
	if list, err := find(1, inUse); err == nil {
		t.Errorf("expected an error when all are in use, got %v", list)
	}
	times := 0
	list, err := find(2, func(address string) (io.Closer, error) {
		if times++; times%2 == 1 {
			return inUse(address)
		}
		return net.Listen("tcp4", address)
	})
	if err != nil || len(list) != 2 || times < 4 {
		t.Errorf("expected two of four ports, got %v, %v after %d", list, err, times)
	}
	broken := func(string) (io.Closer, error) { return nil, io.ErrUnexpectedEOF }
	if _, err := find(1, broken); err != io.ErrUnexpectedEOF {
		t.Errorf("expected the error of the network, got %v", err)
	}
}
