package udpback

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

// brokenSocket fails to receive some times, one error after the other.
type brokenSocket struct {
	*nowhere
	errs []error
}

func (s *brokenSocket) Receive(handle func(*datagram.Inbox)) error {
	if len(s.errs) == 0 {
		return s.nowhere.Receive(handle)
	}
	err := s.errs[0]
	s.errs = s.errs[1:]
	return err
}

// An error that may persist makes the reader pause. One that speaks of an earlier
// datagram does not: replies may be there.
func TestReaderPauses(t *testing.T) {
	for _, row := range []struct {
		err  error
		want time.Duration
	}{
		{syscall.EIO, 4 * readErrorPause},
		{errors.New("unknown"), 4 * readErrorPause},
		{syscall.ECONNREFUSED, 0},
		{syscall.EHOSTUNREACH, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			server := f.server(t, "a", nil)
			defer server.Close()
			conn := &brokenSocket{nowhere: newNowhere(), errs: []error{row.err, row.err, row.err, row.err, net.ErrClosed}}
			began := time.Now()
			s := newSocket(&server.endpoint(wire.KindAccess).sockets, netip.MustParseAddr("192.0.2.1"), conn)
			<-s.done
			if took := time.Since(began); took != row.want {
				t.Errorf("four times %v: read ended after %v, expected %v", row.err, took, row.want)
			}
			s.close()
		})
	}
}

// A socket receives only from the address and the port that it is connected to: the
// kernel drops datagrams from another host, or from another port of the server (RFC 2865
// §3).
// Rules: P21
func TestSocketReceivesFromItsServerOnly(t *testing.T) {
	listen := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	server, stranger := listen(), listen()
	c, err := datagram.DialUDP(netip.Addr{}, server.LocalAddr().(*net.UDPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("request")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64)
	_, from, err := server.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		conn *net.UDPConn
		says string
	}{{stranger, "forged"}, {server, "true"}} {
		if _, err := x.conn.WriteToUDPAddrPort([]byte(x.says), from); err != nil {
			t.Fatal(err)
		}
	}
	n, err := c.Read(b)
	if err != nil || string(b[:n]) != "true" {
		t.Errorf("the socket heard %q (%v), expected the server's reply only", b[:n], err)
	}
}
