//go:build linux

package world

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// namespace is a network and a mount namespace. It has no name anywhere: a thread
// of this process lives in it, and it ends after that thread and the processes
// and sockets in it have ended, however this process ends.
type namespace struct {
	// static after construction
	name   string
	thread int // its identifier, by which ip finds the namespace
	net    int // descriptor of the network namespace, for threads that enter it
	work   chan func()
	ended  chan struct{}
}

// openNamespace makes a namespace with nothing in it but a loopback that is up.
func openNamespace(name string) (*namespace, error) {
	n := &namespace{name: name, work: make(chan func()), ended: make(chan struct{})}
	ready := make(chan error)
	go n.live(ready)
	if err := <-ready; err != nil {
		<-n.ended
		return nil, err
	}
	if out, err := n.try("ip link set lo up"); err != nil {
		n.close()
		return nil, fmt.Errorf("ip link set lo up: %w: %s", err, out)
	}
	return n, nil
}

// live is the thread that the namespace belongs to. Processes are started here:
// they inherit its namespaces, and are killed when it ends (Pdeathsig).
func (n *namespace) live(ready chan<- error) {
	defer close(n.ended)
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS | unix.CLONE_NEWNET); err != nil {
		ready <- fmt.Errorf("unshare: %w", err)
		return
	}
	// What is mounted here is not to be seen outside.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		ready <- fmt.Errorf("making mounts private: %w", err)
		return
	}
	var err error
	n.thread = unix.Gettid()
	if n.net, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		ready <- err
		return
	}
	ready <- nil
	for f := range n.work {
		f()
	}
}

// close ends the thread, and the processes that it has started.
func (n *namespace) close() {
	close(n.work)
	<-n.ended
	unix.Close(n.net)
}

// do calls f in the namespace. What f starts there must not wait long: others queue.
func (n *namespace) do(f func()) {
	done := make(chan struct{})
	n.work <- func() {
		defer close(done)
		f()
	}
	<-done
}

// try runs a command, its words divided by blanks.
func (n *namespace) try(command string) (output string, err error) {
	words := strings.Fields(command)
	cmd := exec.Command(words[0], words[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	n.do(func() { err = cmd.Start() })
	if err == nil {
		err = cmd.Wait()
	}
	return out.String(), err
}

// sysctl writes a value of /proc/sys, which shows the caller's network namespace.
func (n *namespace) sysctl(name, value string) (err error) {
	n.do(func() { err = os.WriteFile("/proc/sys/"+name, []byte(value), 0) })
	return err
}

// inside calls f on a thread of its own within the network namespace: sockets
// that it opens belong there. f may wait.
func (n *namespace) inside(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Setns(n.net, unix.CLONE_NEWNET); err != nil {
			result <- fmt.Errorf("entering %s: %w", n.name, err)
			return
		}
		result <- f()
	}()
	return <-result
}

// dial connects from within the namespace; address must be literal, a name
// would be looked up on another thread.
func (n *namespace) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	return n.connect(ctx, net.Dialer{Timeout: 10 * time.Second}, network, address)
}

// dialFrom is dial from an address of the namespace.
func (n *namespace) dialFrom(ctx context.Context, source, network, address string) (net.Conn, error) {
	return n.connect(ctx, net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}, network, address)
}

func (n *namespace) connect(ctx context.Context, dialer net.Dialer, network, address string) (conn net.Conn, err error) {
	if e := n.inside(func() error {
		conn, err = dialer.DialContext(ctx, network, address)
		return nil
	}); e != nil {
		return nil, e
	}
	return conn, err
}

// listenUDP opens a socket within the namespace.
func (n *namespace) listenUDP(address string) (conn *net.UDPConn, err error) {
	err = n.inside(func() error {
		a, err := net.ResolveUDPAddr("udp", address)
		if err != nil {
			return err
		}
		conn, err = net.ListenUDP("udp", a)
		return err
	})
	return conn, err
}

// listenTCP opens a listener within the namespace.
func (n *namespace) listenTCP(address string) (l net.Listener, err error) {
	err = n.inside(func() error {
		l, err = net.Listen("tcp", address)
		return err
	})
	return l, err
}
