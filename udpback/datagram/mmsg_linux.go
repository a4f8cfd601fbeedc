//go:build linux && (amd64 || arm64)

package datagram

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of sendmmsg(2), as 64-bit machines lay it out.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   [4]byte // padding to a multiple of 8
}

// mmsg moves datagrams by sendmmsg(2) and recvmmsg(2). golang.org/x/net/ipv4
// does the same but allocates the source address of every datagram received.
//
// The system calls do not block, so they are made without informing the scheduler
// (unix.RawSyscall6). Informing it would wake the runtime's monitor thread each time that
// the process had nothing to do, which at low load costs as much as the call itself.
type mmsg struct {
	conn *net.UDPConn
	raw  syscall.RawConn
	// lossy has sends not wait for space in the socket's buffer: what does not fit is lost.
	lossy bool

	outboxes *sync.Pool // *outbox; senders are many
	inboxes  *sync.Pool // *Inbox

	handling atomic.Bool // handle has not returned yet
	reported atomic.Bool // the kernel may hold errors in the socket's error queue

	// owned by the one receiver
	handle     func(*Inbox)
	receiveErr error
	onRead     func(fd uintptr) bool
}

// LocalAddr returns the address of the socket.
func (m *mmsg) LocalAddr() net.Addr { return m.conn.LocalAddr() }

// vector is the arguments of one recvmmsg call. Of what the kernel writes into it only
// the lengths of the peers' addresses must be reset before the next call.
type vector struct {
	headers   [BatchSize]mmsghdr
	iovecs    [BatchSize]unix.Iovec
	withPeers bool
	control   *control // of the local addresses; nil: they are not noted
}

// init points the headers into the Inbox that the vector is part of.
func (v *vector) init(in *Inbox, withPeers, withLocal bool) {
	v.withPeers = withPeers
	if withLocal {
		v.control = new(control)
	}
	for i := range v.headers {
		b := in.memory(i)
		v.iovecs[i].Base = &b[0]
		v.iovecs[i].SetLen(len(b))
		v.headers[i].hdr.Iov = &v.iovecs[i]
		v.headers[i].hdr.Iovlen = 1
		if withPeers {
			v.headers[i].hdr.Name = (*byte)(unsafe.Pointer(&in.peers[i].raw))
		}
		if withLocal {
			v.headers[i].hdr.Control = &v.control[i][0]
		}
	}
}

// reset makes the vector ready for the next call.
func (v *vector) reset() {
	if !v.withPeers {
		return
	}
	for i := range v.headers {
		v.headers[i].hdr.Namelen = unix.SizeofSockaddrInet6
		if v.control != nil {
			v.headers[i].hdr.SetControllen(controlSize)
		}
	}
}

func newConn(u *net.UDPConn, m *memory) (Conn, error) { return newMmsg(u, m) }

func newMmsg(u *net.UDPConn, shared *memory) (*mmsg, error) {
	raw, err := u.SyscallConn()
	if err != nil {
		return nil, err
	}
	m := &mmsg{conn: u, raw: raw, inboxes: &shared.inboxes, outboxes: &shared.outboxes}
	m.onRead = m.read
	return m, nil
}

func (m *mmsg) Close() error { return m.conn.Close() }

// Unread reports whether datagrams wait in the kernel, or are being handled.
func (m *mmsg) Unread() bool {
	if m.handling.Load() {
		return true
	}
	waiting := false
	m.raw.Control(func(fd uintptr) { // an error means that the socket is closed
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		unix.Poll(fds, 0) // after an error Revents is 0
		waiting = fds[0].Revents&unix.POLLIN != 0
	})
	return waiting || m.handling.Load()
}

func (m *mmsg) Receive(handle func(*Inbox)) error {
	m.handle, m.receiveErr = handle, nil
	if err := m.raw.Read(m.onRead); err != nil {
		return err
	}
	return m.receiveErr
}

// read is called by the poller when there may be something to read. It handles what is
// there, and returns false to be called again when there is more. A batch that is not
// full has emptied the socket: the poller remembers what arrives from then on.
func (m *mmsg) read(fd uintptr) (ended bool) {
	m.handling.Store(true)
	defer m.handling.Store(false)
	for {
		in := m.inboxes.Get().(*Inbox)
		in.vector.reset()
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&in.vector.headers[0])), BatchSize, unix.MSG_DONTWAIT, 0, 0)
		if errno == 0 {
			in.n = int(n)
			for i := range in.n {
				in.sizes[i] = int(in.vector.headers[i].len)
				in.peers[i].size = in.vector.headers[i].hdr.Namelen
				if c := in.vector.control; c != nil {
					in.peers[i].local = localIn(c[i][:in.vector.headers[i].hdr.Controllen])
				}
			}
			m.handle(in)
		}
		m.inboxes.Put(in)
		switch {
		case errno == 0 && n == BatchSize, errno == unix.EINTR:
		case errno == 0, errno == unix.EAGAIN:
			if m.reported.Swap(false) {
				drainErrors(fd)
			}
			return false
		default:
			m.receiveErr = errno
			drainErrors(fd)
			return true
		}
	}
}

// drainErrors empties the socket's error queue: what IP_RECVERR keeps there would
// take the space of datagrams. The calls have already returned the error.
func drainErrors(fd uintptr) {
	for range 1024 {
		var header unix.Msghdr // nothing is read but that there was one
		_, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&header)), unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if errno != 0 {
			return
		}
	}
}
