package tlsfront

import (
	"context"
	"net"
	"syscall"
	"testing"
)

// When no descriptor is left, a connection is accepted with the spare one and closed, so
// that its peer need not wait.
func TestSpareDescriptor(t *testing.T) {
	f := startTCP(t, nil)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	waiting := must(net.Dial("tcp", f.addr)) // before the limit: this end needs a descriptor, too
	defer waiting.Close()
	f.awaitMetric("radsec_gw_tls_silent_connections", 1)
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	peer := must(net.Dial("tcp", l.Addr().String()))
	defer peer.Close()
	spare := openSpare()
	defer spare.close()
	// From now on no number above those in use is given out.
	limit := before
	limit.Cur = uint64(lowestFree(t))
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)
	if _, err := l.Accept(); !outOfDescriptors(err) {
		t.Fatalf("Accept without descriptors reports %v", err)
	}
	if !f.server.rejectWithSpare(context.Background(), spare, l) || spare.file == nil {
		t.Error("the connection is not refused, or the spare descriptor is not taken back")
	}
	if err := readToEnd(peer); err == nil {
		t.Error("the refused peer sees no end")
	}
	f.wantMetric(`radsec_gw_tls_handshakes_total{result="no_descriptor"}`, 1)
}

// lowestFree returns the number of the next descriptor.
func lowestFree(t *testing.T) int {
	fd, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.Close(fd)
	return fd
}
