package datagram

import (
	"bytes"
	"net"
	"testing"
)

// A Listener of records keeps a datagram that is longer than a RADIUS packet, and sends one
// back from the address that it came to.
func TestRecordListenerKeepsLongDatagrams(t *testing.T) {
	c, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewRecordListener(c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: c.LocalAddr().(*net.UDPAddr).Port})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	long := bytes.Repeat([]byte{7}, MaxRecordSize)
	if _, err := client.Write(long); err != nil {
		t.Fatal(err)
	}
	l.Receive(func(in *Inbox) {
		if got := in.Datagram(0); !bytes.Equal(got, long) {
			t.Errorf("%d octets arrived, expected %d", len(got), len(long))
		}
		l.Send([][]byte{in.Datagram(0)}, []Peer{*in.Peer(0)})
		go l.Close()
	})
	b := make([]byte, 2*MaxRecordSize)
	if n, err := client.Read(b); err != nil || !bytes.Equal(b[:n], long) {
		t.Errorf("the client receives %d octets, %v; expected %d", n, err, len(long))
	}
}
