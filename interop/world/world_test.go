//go:build linux

package world

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Addresses of every world. Servers have others of 10.0.0.0/24, behind a router of 10.1.0.0/24.
const (
	gatewayAddress = "10.0.0.1"
	nameServer     = "10.0.0.53"
	outsideAddress = "10.0.0.254" // the gateway's default route
	secret         = "udp-Secret-of-the-world"
)

// world is one test's own: a namespace for the gateway and its clients, one for
// what lies outside, and what is between them.
type world struct {
	t       testing.TB
	dir     string // temporary: configuration, hosts, resolv.conf
	gateway *namespace
	outside *namespace
	between *namespace // with newWiredWorld and newRoutedWorld

	mu      sync.Mutex // guards clients
	clients []*client  // all that the test has opened
}

// newWorld makes a world whose two namespaces are connected by a veth pair.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := newUnconnected(t)
	w.connect(w.gateway, "eth0", w.outside, "eth0")
	w.address(w.gateway, "eth0", gatewayAddress+"/24")
	w.address(w.outside, "eth0", outsideAddress+"/24")
	w.run(w.gateway, "ip route add default via "+outsideAddress)
	return w
}

// newRoutedWorld makes a world with a router between: servers are at 10.1.0.10
// and so on, and the link to them carries packets of mtu octets.
func newRoutedWorld(t testing.TB, mtu int) *world {
	t.Helper()
	w := newUnconnected(t)
	w.between = w.namespace("between")
	w.connect(w.gateway, "eth0", w.between, "near")
	w.connect(w.outside, "eth0", w.between, "far")
	w.address(w.gateway, "eth0", gatewayAddress+"/24")
	w.address(w.between, "near", outsideAddress+"/24")
	w.address(w.between, "far", "10.1.0.254/24")
	w.address(w.outside, "eth0", "10.1.0.1/24")
	w.run(w.between, fmt.Sprintf("ip link set far mtu %d", mtu))
	w.run(w.outside, fmt.Sprintf("ip link set eth0 mtu %d", mtu))
	w.run(w.gateway, "ip route add default via "+outsideAddress)
	w.run(w.outside, "ip route add default via 10.1.0.254")
	w.must(w.between.sysctl("net/ipv4/ip_forward", "1"))
	return w
}

// newWiredWorld makes a world with a wire between, which this process carries
// the frames over: see wire.
func newWiredWorld(t testing.TB) (*world, *wire) {
	t.Helper()
	w := newUnconnected(t)
	w.between = w.namespace("between")
	w.connect(w.gateway, "eth0", w.between, "near")
	w.connect(w.outside, "eth0", w.between, "far")
	w.address(w.gateway, "eth0", gatewayAddress+"/24")
	w.address(w.outside, "eth0", outsideAddress+"/24")
	w.run(w.gateway, "ip route add default via "+outsideAddress)
	return w, layWire(t, w.between, "near", "far")
}

func newUnconnected(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	w.gateway = w.namespace("gateway")
	w.outside = w.namespace("outside")
	w.hosts()
	w.write("resolv.conf", "nameserver "+nameServer+"\n")
	w.write("nsswitch.conf", "hosts: files dns\n")
	w.gateway.do(func() {
		for _, name := range []string{"hosts", "resolv.conf", "nsswitch.conf"} {
			if err := unix.Mount(w.path(name), "/etc/"+name, "", unix.MS_BIND, ""); err != nil {
				t.Errorf("mounting a file over /etc/%s: %v", name, err)
			}
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return w
}

func (w *world) namespace(name string) *namespace {
	w.t.Helper()
	n, err := openNamespace(name)
	w.must(err)
	w.t.Cleanup(n.close)
	return n
}

// connect makes a veth pair.
func (w *world) connect(a *namespace, aDevice string, b *namespace, bDevice string) {
	w.t.Helper()
	w.run(a, fmt.Sprintf("ip link add %s type veth peer name %s netns %d", aDevice, bDevice, b.thread))
	w.run(a, "ip link set "+aDevice+" up")
	w.run(b, "ip link set "+bDevice+" up")
}

// address gives a device an address, as "10.0.0.10/24".
func (w *world) address(n *namespace, device, address string) {
	w.t.Helper()
	command := "ip addr add " + address + " dev " + device
	if strings.Contains(address, ":") {
		command += " nodad" // otherwise it cannot be used for a second or two
	}
	w.run(n, command)
}

// removeAddress removes one, as when a container ends.
func (w *world) removeAddress(n *namespace, device, address string) {
	w.t.Helper()
	w.run(n, "ip addr del "+address+" dev "+device)
}

// disconnect closes all connections of clients.
func (w *world) disconnect() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.clients {
		c.close()
	}
	w.clients = nil
}

// run runs a command that must succeed.
func (w *world) run(n *namespace, command string) {
	w.t.Helper()
	if out, err := n.try(command); err != nil {
		w.t.Fatalf("%s in %s: %v: %s", command, n.name, err, out)
	}
}

// rules gives nftables commands to a namespace, one a line.
func (w *world) rules(n *namespace, commands ...string) {
	w.t.Helper()
	for _, command := range commands {
		w.run(n, "nft "+command)
	}
}

// hosts writes the gateway's /etc/hosts: localhost, and what is given, one a line.
func (w *world) hosts(lines ...string) {
	w.t.Helper()
	w.write("hosts", "127.0.0.1 localhost\n"+strings.Join(lines, "\n")+"\n")
}

// write writes a file of the world in place, so that a mount of it shows the change.
func (w *world) write(name, text string) {
	w.t.Helper()
	w.must(os.WriteFile(w.path(name), []byte(text), 0o600))
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}
