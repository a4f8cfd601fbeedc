//go:build linux

package world

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// path is how a wire treats the UDP datagrams of one direction. Percentages are
// drawn for each frame by itself. ARP and the rest pass untouched.
type path struct {
	lose, double float64       // percent
	delay        time.Duration // of each
	jitter       time.Duration // added, uniform in 0..jitter: frames overtake each other
}

// wire carries Ethernet frames between two devices of a namespace, and does what
// tc's netem would, without a kernel that has it.
type wire struct {
	// static after construction
	near, far *os.File // packet sockets
	readers   sync.WaitGroup

	mu           sync.Mutex // guards the fields below
	rnd          *rand.Rand
	toFar        path
	toNear       path
	lost         int // towards the far end
	doubled      int // towards the far end
	fragmentable int // IPv4 UDP frames to the far end without the DF bit
	unbroken     int // those with it
}

// layWire connects two devices that are up.
func layWire(t testing.TB, n *namespace, near, far string) *wire {
	t.Helper()
	w := &wire{rnd: rand.New(rand.NewPCG(9, 9))} // the same in each run
	var err error
	if w.near, err = n.packetSocket(near); err != nil {
		t.Fatal(err)
	}
	if w.far, err = n.packetSocket(far); err != nil {
		t.Fatal(err)
	}
	w.readers.Go(func() { w.carry(w.near, w.far, &w.toFar, true) })
	w.readers.Go(func() { w.carry(w.far, w.near, &w.toNear, false) })
	t.Cleanup(func() {
		w.near.Close()
		w.far.Close()
		w.readers.Wait()
	})
	return w
}

// packetSocket opens a socket that receives and sends the frames of a device.
func (n *namespace) packetSocket(device string) (file *os.File, err error) {
	err = n.inside(func() error {
		all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(all))
		if err != nil {
			return err
		}
		link, err := net.InterfaceByName(device)
		if err == nil {
			err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: link.Index})
		}
		if err == nil {
			err = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
		}
		if err != nil {
			unix.Close(fd)
			return err
		}
		file = os.NewFile(uintptr(fd), device)
		return nil
	})
	return file, err
}

// set says how both directions are from now on.
func (w *wire) set(both path) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.toFar, w.toNear = both, both
}

// counts returns how many IPv4 UDP frames went to the far end with the DF bit, and without.
func (w *wire) counts() (unbroken, fragmentable int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.unbroken, w.fragmentable
}

// toServer returns how many IPv4 UDP frames towards the far end were lost, and how many doubled.
func (w *wire) toServer() (lost, doubled int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost, w.doubled
}

// carry moves frames from one device to the other until the wire is closed.
func (w *wire) carry(from, to *os.File, treated *path, out bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			continue // the device is down
		}
		frame := append([]byte(nil), buf[:n]...)
		for _, after := range w.treat(frame, treated, out) {
			if after == 0 {
				_, _ = to.Write(frame) // a device that is down loses it
				continue
			}
			time.AfterFunc(after, func() { _, _ = to.Write(frame) })
		}
	}
}

const (
	etherLength = 14
	typeIPv4    = 0x0800
	protocolUDP = 17
)

// treat says how often a frame is sent on, and when.
func (w *wire) treat(frame []byte, treated *path, out bool) []time.Duration {
	if len(frame) < etherLength+28 || binary.BigEndian.Uint16(frame[12:]) != typeIPv4 || frame[etherLength+9] != protocolUDP {
		return []time.Duration{0}
	}
	ip := frame[etherLength:]
	flags := binary.BigEndian.Uint16(ip[6:])
	if flags&0x3fff == 0 {
		// Whole: its checksum is left to the network card (veth has
		// none). Zero says that there is none (RFC 768).
		at := int(ip[0]&15)*4 + 6
		ip[at], ip[at+1] = 0, 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case out && flags&0x4000 != 0:
		w.unbroken++
	case out:
		w.fragmentable++
	}
	if w.rnd.Float64()*100 < treated.lose {
		if out {
			w.lost++
		}
		return nil
	}
	copies := 1
	if w.rnd.Float64()*100 < treated.double {
		copies = 2
		if out {
			w.doubled++
		}
	}
	var after []time.Duration
	for range copies {
		d := treated.delay
		if treated.jitter > 0 {
			d += time.Duration(w.rnd.Int64N(int64(treated.jitter)))
		}
		after = append(after, d)
	}
	return after
}
