package datagram

import (
	"net"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// The options of sockets to servers: datagrams may be fragmented, every ICMP error is
// reported, and the kernel's buffers hold a burst if its limits allow it.
func TestSocketOptions(t *testing.T) {
	for _, row := range []struct {
		network, address         string
		level, discover, recverr int
		dont                     int
	}{
		{"udp4", "127.0.0.1:0", unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_RECVERR, unix.IP_PMTUDISC_DONT},
		{"udp6", "[::1]:0", unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_RECVERR, unix.IPV6_PMTUDISC_DONT},
	} {
		server, err := net.ListenPacket(row.network, row.address)
		if err != nil && row.network == "udp6" {
			continue // this machine has none
		} else if err != nil {
			t.Fatal(err)
		}
		c, err := DialUDP(netip.Addr{}, server.LocalAddr().(*net.UDPAddr).AddrPort())
		if err != nil {
			t.Fatal(err)
		}
		option := func(level, name int) (value int) {
			raw, err := c.(*net.UDPConn).SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), level, name) })
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
		discover, recverr := option(row.level, row.discover), option(row.level, row.recverr)
		in, out := option(unix.SOL_SOCKET, unix.SO_RCVBUF), option(unix.SOL_SOCKET, unix.SO_SNDBUF)
		if discover != row.dont || recverr != 1 {
			t.Errorf("%s: MTU discovery is %d and reporting of errors %d, expected %d and 1", row.network, discover, recverr, row.dont)
		}
		c.(*net.UDPConn).SetReadBuffer(socketBuffer)
		c.(*net.UDPConn).SetWriteBuffer(socketBuffer)
		if most := option(unix.SOL_SOCKET, unix.SO_RCVBUF); in != most {
			t.Errorf("%s: it receives into %d octets, expected %d, as many as the kernel allows", row.network, in, most)
		}
		if most := option(unix.SOL_SOCKET, unix.SO_SNDBUF); out != most {
			t.Errorf("%s: it sends from %d octets, expected %d, as many as the kernel allows", row.network, out, most)
		}
		c.Close()
		server.Close()
	}
}

// A socket that cannot be prepared is not connected: the error is returned.
func TestSocketOptionsFail(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	raw, err := w.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for _, network := range []string{"udp4", "udp6"} {
		if err := setOptions(network, "", raw); err != unix.ENOTSOCK {
			t.Errorf("%s: a pipe gives %v, expected ENOTSOCK", network, err)
		}
	}
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(s)
	if err := set(s, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT, -1); err != unix.ENOPROTOOPT {
		t.Errorf("an option that there is not gives %v, expected ENOPROTOOPT", err)
	}
	w.Close()
	if err := setOptions("udp4", "", raw); err == nil {
		t.Error("a closed socket gives no error, expected one")
	}
}
