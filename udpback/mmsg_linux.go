//go:build linux && (amd64 || arm64)

package udpback

import (
	"errors"
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
// No call waits, so the scheduler is not told of them (unix.RawSyscall6): the telling
// wakes the runtime's monitor thread each time that the process had nothing to do,
// which at low load costs as much as the call itself.
type mmsg struct {
	conn *net.UDPConn
	raw  syscall.RawConn

	outs sync.Pool  // *outbox; senders are many
	ins  *sync.Pool // *inbox

	handling atomic.Bool // what was received is not given back yet
	reported atomic.Bool // the kernel may hold errors in the socket's error queue

	// owned by the one receiver
	handle func(*inbox)
	inErr  error
	onRead func(fd uintptr) bool
}

// vector is the argument block of one recvmmsg call. What the kernel writes into it
// does not matter to the next call.
type vector struct {
	headers [batchSize]mmsghdr
	iovecs  [batchSize]unix.Iovec
}

// point has the headers lead into the inbox that the vector is in.
func (v *vector) point(in *inbox) {
	for i := range v.headers {
		v.iovecs[i].Base = &in.octets[i][0]
		v.iovecs[i].SetLen(datagramSize)
		v.headers[i].hdr.Iov = &v.iovecs[i]
		v.headers[i].hdr.Iovlen = 1
	}
}

// outbox is the argument block of one sendmmsg call.
type outbox struct {
	headers [batchSize]mmsghdr
	iovecs  [batchSize]unix.Iovec
	n, sent int
	err     error
	wait    bool // wait for space in the socket's buffer
	// bound once, so that no call allocates a closure
	onWrite   func(fd uintptr) bool
	onControl func(fd uintptr)
}

func newDatagrams(u *net.UDPConn, inboxes *sync.Pool) (datagrams, error) {
	raw, err := u.SyscallConn()
	if err != nil {
		return nil, err
	}
	m := &mmsg{conn: u, raw: raw, ins: inboxes}
	m.onRead = m.read
	return m, nil
}

func (m *mmsg) close() error { return m.conn.Close() }

// unread looks whether datagrams wait in the kernel, or are being handled.
func (m *mmsg) unread() bool {
	if m.handling.Load() {
		return true
	}
	waiting := false
	m.raw.Control(func(fd uintptr) { // an error means that the socket is closed
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		unix.Poll(fds, 0) // on an error Revents stays 0
		waiting = fds[0].Revents&unix.POLLIN != 0
	})
	return waiting || m.handling.Load()
}

func (m *mmsg) receive(handle func(*inbox)) error {
	m.handle, m.inErr = handle, nil
	if err := m.raw.Read(m.onRead); err != nil {
		return err
	}
	return m.inErr
}

// read is called by the poller when there may be something: it hands over what is
// there, and asks to be called again when there is more. A batch that is not full has
// emptied the socket: the poller remembers what arrives from then on.
func (m *mmsg) read(fd uintptr) (ended bool) {
	m.handling.Store(true)
	defer m.handling.Store(false)
	for {
		in := m.ins.Get().(*inbox)
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&in.vector.headers[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
		if errno == 0 {
			in.n = int(n)
			for i := range in.n {
				in.sizes[i] = int(in.vector.headers[i].len)
			}
			m.handle(in)
		}
		m.ins.Put(in)
		switch {
		case errno == 0 && n == batchSize, errno == unix.EINTR:
		case errno == 0, errno == unix.EAGAIN:
			if m.reported.Swap(false) {
				drainErrors(fd)
			}
			return false
		default:
			m.inErr = errno
			drainErrors(fd)
			return true
		}
	}
}

// drainErrors empties the socket's error queue: what IP_RECVERR keeps there would
// take the space of datagrams. That there was an error, the calls have said.
func drainErrors(fd uintptr) {
	for range 1024 {
		var header unix.Msghdr // no octet of it is of interest
		_, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&header)), unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if errno != 0 {
			return
		}
	}
}

func (m *mmsg) send(bufs [][]byte) (int, error) {
	o, _ := m.outs.Get().(*outbox)
	if o == nil {
		o = new(outbox)
		o.onWrite = o.write
		o.onControl = func(fd uintptr) { o.write(fd) }
	}
	total := 0
	var err error
	for len(bufs) > 0 && err == nil {
		n := min(len(bufs), batchSize)
		var sent int
		if sent, err = o.send(m.raw, bufs[:n]); err != nil {
			m.reported.Store(true)
		}
		total += sent
		bufs = bufs[n:]
	}
	m.outs.Put(o)
	return total, err
}

// send sends up to batchSize datagrams. A pending ICMP error is reported by the
// kernel instead of a send, once: the send is then tried again, because the
// error speaks of an earlier datagram.
func (o *outbox) send(raw syscall.RawConn, bufs [][]byte) (int, error) {
	for i, b := range bufs {
		o.iovecs[i].Base = &b[0]
		o.iovecs[i].SetLen(len(b))
		o.headers[i].hdr = unix.Msghdr{Iov: &o.iovecs[i], Iovlen: 1}
	}
	o.n, o.sent, o.wait = len(bufs), 0, false
	var refused error
	for tries := 0; ; tries++ {
		var err error
		// Control does not queue behind other senders as Write does: the kernel
		// serialises what must be.
		if o.wait {
			err = raw.Write(o.onWrite)
		} else {
			err = raw.Control(o.onControl)
		}
		switch {
		case err != nil:
			return o.sent, err
		case o.err == nil:
			o.clear()
			return o.sent, refused
		case errors.Is(o.err, unix.EAGAIN):
			o.wait = true
		case tries < 2 && (errors.Is(o.err, unix.ECONNREFUSED) || cannotGetThere(o.err)):
			refused = o.err
		default:
			o.clear()
			return o.sent, o.err
		}
	}
}

// write makes the system calls; false asks the poller to wait for space.
func (o *outbox) write(fd uintptr) bool {
	o.err = nil
	for o.sent < o.n {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&o.headers[o.sent])), uintptr(o.n-o.sent), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			o.sent += int(n)
		case unix.EINTR:
		case unix.EAGAIN:
			if o.wait {
				return false
			}
			o.err = errno
			return true
		default:
			o.err = errno
			return true
		}
	}
	return true
}

// clear drops the references to the packets, which belong to others.
func (o *outbox) clear() {
	for i := range o.n {
		o.iovecs[i].Base = nil
	}
}
