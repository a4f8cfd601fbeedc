package datagram

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
)

// Which errors say that a datagram was not delivered, which that the socket's own address
// is gone, and which are caused by this machine.
// Rules: P84
func TestErrors(t *testing.T) {
	for _, row := range []struct {
		err                 syscall.Errno
		cannot, gone, local bool
	}{
		{syscall.EHOSTUNREACH, true, false, false},
		{syscall.ENETUNREACH, true, false, false},
		{syscall.ENETDOWN, true, false, false},
		{syscall.EHOSTDOWN, true, false, false},
		{syscall.EPERM, true, false, true},
		{syscall.EACCES, true, false, true},
		{syscall.ENODEV, true, false, false},
		{syscall.ENXIO, true, false, false},
		{syscall.ENOPROTOOPT, true, false, false},
		{syscall.EOPNOTSUPP, true, false, false},
		{syscall.EPROTO, true, false, false},
		{syscall.EADDRNOTAVAIL, true, true, false},
		{syscall.EINVAL, true, true, false},
		{syscall.EMFILE, false, false, true},
		{syscall.ENFILE, false, false, true},
		{syscall.ENOBUFS, false, false, true},
		{syscall.ENOMEM, false, false, true},
		{syscall.EAGAIN, false, false, true},
		{syscall.ECONNREFUSED, false, false, false},
		{syscall.EIO, false, false, false},
	} {
		for _, err := range []error{row.err, fmt.Errorf("write: %w", row.err)} {
			if cannot, gone, local := IsUnreachable(err), IsSourceGone(err), IsLocal(err); cannot != row.cannot || gone != row.gone || local != row.local {
				t.Errorf("%v: unreachable %t, source gone %t, local %t; expected %t, %t, %t", err, cannot, gone, local, row.cannot, row.gone, row.local)
			}
		}
	}
	if err := errors.New("unknown"); IsUnreachable(err) || IsSourceGone(err) || IsLocal(err) {
		t.Error("an unknown error is taken for one of the system's")
	}
}
