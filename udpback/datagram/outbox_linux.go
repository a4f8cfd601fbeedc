//go:build linux && (amd64 || arm64)

package datagram

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// outbox is the arguments of one sendmmsg call.
type outbox struct {
	headers [BatchSize]mmsghdr
	iovecs  [BatchSize]unix.Iovec
	n, sent int
	err     error
	wait    bool     // wait for space in the socket's buffer
	control *control // of the local addresses; nil: none was needed yet
	// bound once, so that no call allocates a closure
	onWrite   func(fd uintptr) bool
	onControl func(fd uintptr)
}

// Send sends to the connected address.
func (m *mmsg) Send(bufs [][]byte) (int, error) { return m.sendTo(bufs, nil) }

// sendTo sends each of bufs to the peer in the same place of to; to is nil on a connected
// socket.
func (m *mmsg) sendTo(bufs [][]byte, to []Peer) (int, error) {
	o, _ := m.outboxes.Get().(*outbox)
	if o == nil {
		o = new(outbox)
		o.onWrite = o.write
		o.onControl = func(fd uintptr) { o.write(fd) }
	}
	total := 0
	var err error
	for len(bufs) > 0 && err == nil {
		n := min(len(bufs), BatchSize)
		var sent int
		if sent, err = o.send(m.raw, bufs[:n], to, m.lossy); err != nil {
			m.reported.Store(true)
		}
		total += sent
		bufs = bufs[n:]
		if to != nil {
			to = to[n:]
		}
	}
	m.outboxes.Put(o)
	return total, err
}

// send sends up to BatchSize datagrams. A pending ICMP error is reported by the
// kernel instead of a send, once: the send is then tried again, because the error is
// about an earlier datagram. Where there is no space in the socket's buffer it waits, unless
// lossy. The outbox keeps no reference to bufs and to.
func (o *outbox) send(raw syscall.RawConn, bufs [][]byte, to []Peer, lossy bool) (int, error) {
	defer o.clear()
	for i, b := range bufs {
		o.iovecs[i].Base = &b[0]
		o.iovecs[i].SetLen(len(b))
		o.headers[i].hdr = unix.Msghdr{Iov: &o.iovecs[i], Iovlen: 1}
		if to != nil {
			o.headers[i].hdr.Name, o.headers[i].hdr.Namelen = (*byte)(unsafe.Pointer(&to[i].raw)), to[i].size
			if to[i].local.IsValid() {
				o.setLocal(i, &to[i])
			}
		}
	}
	o.n, o.sent, o.wait = len(bufs), 0, false
	var refused error
	for tries := 0; ; tries++ {
		var err error
		// Control does not queue behind other senders as Write does: the kernel
		// serialises what has to be.
		if o.wait {
			err = raw.Write(o.onWrite)
		} else {
			err = raw.Control(o.onControl)
		}
		switch {
		case err != nil:
			return o.sent, err
		case o.err == nil:
			return o.sent, refused
		case errors.Is(o.err, unix.EAGAIN) && !lossy:
			o.wait = true
		case tries < 2 && (errors.Is(o.err, unix.ECONNREFUSED) || IsUnreachable(o.err)):
			refused = o.err
		default:
			return o.sent, o.err
		}
	}
}

// setLocal has the i-th datagram sent from the local address of its peer.
func (o *outbox) setLocal(i int, to *Peer) {
	if o.control == nil {
		o.control = new(control)
	}
	b := to.putLocal(&o.control[i])
	o.headers[i].hdr.Control = &b[0]
	o.headers[i].hdr.SetControllen(len(b))
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

// clear drops the references to the packets and peers, which are the caller's.
func (o *outbox) clear() {
	for i := range o.n {
		o.iovecs[i].Base, o.headers[i].hdr.Name = nil, nil
	}
}
