package answer

import (
	"errors"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSize is the most datagrams that one system call takes or gives.
const batchSize = 64

// message is struct mmsghdr of recvmmsg(2) on 64-bit Linux.
type message struct {
	header unix.Msghdr
	length uint32
	_      [4]byte
}

// batch is up to batchSize datagrams with their peers' addresses. Its fields
// point at each other, so it must not be copied.
type batch struct {
	messages [batchSize]message
	vectors  [batchSize]unix.Iovec
	peers    [batchSize]unix.RawSockaddrInet4
	octets   []byte
	size     int // octets each datagram may have
	n        int // datagrams held
}

func newBatch(size int) *batch {
	b := &batch{octets: make([]byte, batchSize*size), size: size}
	for i := range b.messages {
		b.vectors[i].Base = &b.octets[i*size]
		h := &b.messages[i].header
		h.Iov, h.Iovlen = &b.vectors[i], 1
		h.Name = (*byte)(unsafe.Pointer(&b.peers[i]))
	}
	return b
}

// datagram is the i-th one as received.
func (b *batch) datagram(i int) []byte {
	return b.octets[i*b.size : i*b.size+int(b.messages[i].length)]
}

// room is where the next datagram to send may be written.
func (b *batch) room() []byte {
	return b.octets[b.n*b.size : (b.n+1)*b.size]
}

// append takes what was written into room as the next datagram to peer.
func (b *batch) append(length int, peer *unix.RawSockaddrInet4) {
	b.peers[b.n] = *peer
	b.messages[b.n].header.Namelen = unix.SizeofSockaddrInet4
	b.vectors[b.n].SetLen(length)
	b.n++
}

// socket moves batches. One goroutine receives and one sends.
type socket struct {
	raw        syscall.RawConn
	in, out    *batch // the batches being moved: arguments of the closures below
	outAt      int
	inErr      syscall.Errno
	outErr     syscall.Errno
	tryReceive func(fd uintptr) bool
	trySend    func(fd uintptr) bool
}

func newSocket(c *net.UDPConn) (*socket, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	// Room for a burst from every connection; FORCE needs CAP_NET_ADMIN and
	// goes past net.core.rmem_max.
	err = raw.Control(func(fd uintptr) {
		const room = 32 << 20
		for force, plain := range map[int]int{unix.SO_RCVBUFFORCE: unix.SO_RCVBUF, unix.SO_SNDBUFFORCE: unix.SO_SNDBUF} {
			if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, force, room) != nil {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, plain, room)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	s := &socket{raw: raw}
	s.tryReceive = func(fd uintptr) bool {
		n, _, e := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&s.in.messages[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
		s.in.n, s.inErr = int(n), e
		return e != unix.EAGAIN && e != unix.EINTR
	}
	s.trySend = func(fd uintptr) bool {
		n, _, e := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&s.out.messages[s.outAt])), uintptr(s.out.n-s.outAt), unix.MSG_DONTWAIT, 0, 0)
		s.outErr = e
		if e == 0 {
			s.outAt += int(n)
		}
		return e != unix.EAGAIN && e != unix.EINTR
	}
	return s, nil
}

// receive waits for at least one datagram and takes all that are there.
func (s *socket) receive(b *batch) error {
	for i := range b.messages {
		b.messages[i].header.Namelen = unix.SizeofSockaddrInet4
		b.vectors[i].SetLen(b.size)
	}
	s.in = b
	if err := s.raw.Read(s.tryReceive); err != nil {
		return err
	}
	if s.inErr == unix.ECONNREFUSED {
		s.in.n = 0 // an ICMP error for something sent: the peer has gone
		return nil
	}
	if s.inErr != 0 {
		return s.inErr
	}
	return nil
}

// send sends the whole batch; a datagram that the kernel refuses is skipped.
func (s *socket) send(b *batch) error {
	s.out, s.outAt = b, 0
	for s.outAt < b.n {
		if err := s.raw.Write(s.trySend); err != nil {
			return err
		}
		if errors.Is(s.outErr, unix.EBADF) {
			return s.outErr
		}
		if s.outErr != 0 {
			s.outAt++
		}
	}
	return nil
}
