package datagram

import (
	"errors"
	"syscall"
)

// IsUnreachable reports whether an error says that a datagram was not delivered, and
// would not be if it were sent again from the same socket now.
func IsUnreachable(err error) bool {
	return isAnyOf(err, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN,
		syscall.EPERM, syscall.EACCES, syscall.ENODEV, syscall.ENXIO,
		syscall.ENOPROTOOPT, syscall.EOPNOTSUPP, syscall.EPROTO, // ICMP: protocol unreachable, source route failed, parameter problem
	) || IsSourceGone(err)
}

// IsSourceGone reports whether an error says that the socket's own address is no longer
// one of this machine's: Linux gives EINVAL then.
func IsSourceGone(err error) bool {
	return isAnyOf(err, syscall.EADDRNOTAVAIL, syscall.EINVAL)
}

// IsLocal reports whether an error is this machine's own: it is short of something, or
// forbids it. That says nothing about the other end.
func IsLocal(err error) bool {
	return isAnyOf(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EPERM, syscall.EACCES, syscall.EAGAIN)
}

func isAnyOf(err error, all ...syscall.Errno) bool {
	for _, e := range all {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
