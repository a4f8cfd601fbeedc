package udpback

import (
	"strings"
	"syscall"
	"testing"
)

// Which errors say that a datagram was not carried, which that the socket's own address
// is gone, and which are this machine's own want.
// Rules: P84
func TestErrorsOfSockets(t *testing.T) {
	for _, row := range []struct {
		err                 syscall.Errno
		cannot, gone, local bool
		hint                string
	}{
		{syscall.EHOSTUNREACH, true, false, false, "no way to the server's address"},
		{syscall.ENETUNREACH, true, false, false, "no way to the server's address"},
		{syscall.ENETDOWN, true, false, false, "no way to the server's address"},
		{syscall.EHOSTDOWN, true, false, false, "no way to the server's address"},
		{syscall.EPERM, true, false, true, "packet filter"},
		{syscall.EACCES, true, false, true, "packet filter"},
		{syscall.ENODEV, true, false, false, "look at the network"},
		{syscall.ENXIO, true, false, false, "look at the network"},
		{syscall.ENOPROTOOPT, true, false, false, "takes no UDP"},
		{syscall.EOPNOTSUPP, true, false, false, "look at the network"},
		{syscall.EPROTO, true, false, false, "look at the network"},
		{syscall.EADDRNOTAVAIL, true, true, false, "own address has changed"},
		{syscall.EINVAL, true, true, false, "own address has changed"},
		{syscall.EMFILE, false, false, true, "too many files"},
		{syscall.ENFILE, false, false, true, "too many files"},
		{syscall.ENOBUFS, false, false, true, "short of memory"},
		{syscall.ENOMEM, false, false, true, "short of memory"},
		{syscall.EAGAIN, false, false, true, "look at the network"},
		{syscall.ECONNREFUSED, false, false, false, "look at the network"},
		{syscall.EIO, false, false, false, "look at the network"},
	} {
		if cannot, gone, local := cannotGetThere(row.err), sourceGone(row.err), isLocal(row.err); cannot != row.cannot || gone != row.gone || local != row.local {
			t.Errorf("%v: not carried %t, source gone %t, local %t; expected %t, %t, %t", row.err, cannot, gone, local, row.cannot, row.gone, row.local)
		}
		if hint := hintOf(row.err); !strings.Contains(hint, row.hint) {
			t.Errorf("%v: the hint is %q, expected something of %q", row.err, hint, row.hint)
		}
	}
}
