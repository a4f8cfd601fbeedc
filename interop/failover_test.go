package interop

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"radsec-gw/bench/faulty"
	"radsec-gw/bench/material"
	"radsec-gw/bench/ports"
	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// eapol_test's rounds go in turn through two gateways of the same configuration,
// with two FreeRADIUS and a third server behind each that comes and goes: whole
// EAP-TLS conversations keep their server, with nothing shared between the gateways.
// Rules: P66
func TestEAPTLSThroughTwoGatewaysInTurn(t *testing.T) {
	second := startSecondFreeRADIUS(t)
	third, err := faulty.Listen(faulty.Config{Auth: "127.0.0.1:0", Secret: []byte(udpSecret)})
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	var gateways [2]string
	for i := range gateways {
		gateways[i] = startTurnGateway(t, i, map[string]int{"a": shared.ports.auth, "b": second, "comes-and-goes": third.AuthPort()})
	}
	front := newTurns(t, gateways)

	// Stations that belong to the third server get its Access-Accept without keys.
	var stations []string
	for i := 0; i < 20 && len(stations) < 3; i++ {
		station := fmt.Sprintf("02:00:5e:00:53:%02x", i)
		if r := front.eapTLS(t, station); r.Status == 0 {
			stations = append(stations, station)
		}
	}
	if len(stations) < 3 {
		t.Fatal("of 20 stations fewer than 3 belong to a FreeRADIUS, expected two thirds of them")
	}
	var coming sync.WaitGroup
	stop := make(chan struct{})
	coming.Go(func() {
		for alive := true; ; alive = !alive {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
			if alive {
				third.Die()
			} else if err := third.Live(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 3 {
		for _, station := range stations {
			if r := front.eapTLS(t, station); r.Status != 0 || !strings.Contains(r.Output, "MPPE keys OK: 1  mismatch: 0") {
				t.Errorf("station %s: exit status %d, expected a success with right keys:\n%s", station, r.Status, process.LastLines(r.Output, 15))
			}
		}
	}
	close(stop)
	coming.Wait()
	front.mu.Lock()
	defer front.mu.Unlock()
	if n := front.sent; n[0] < 10 || n[1] < 10 {
		t.Errorf("%d and %d rounds went through the gateways, expected both in turn", n[0], n[1])
	}
}

// startSecondFreeRADIUS runs another FreeRADIUS with the first one's certificates
// and returns its port.
func startSecondFreeRADIUS(t *testing.T) (port int) {
	t.Helper()
	var p bedPorts
	if err := p.choose(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "freeradius")
	if err := os.CopyFS(filepath.Join(dir, "certs"), os.DirFS(shared.path("freeradius/certs"))); err != nil {
		t.Fatal(err)
	}
	env := []string{
		fmt.Sprintf("AUTH_PORT=%d", p.auth), fmt.Sprintf("ACCT_PORT=%d", p.acct), fmt.Sprintf("COA_PORT=%d", p.coa),
		fmt.Sprintf("STATUS_PORT=%d", p.status), fmt.Sprintf("COA_CLIENT_PORT=%d", p.coaClient),
	}
	f, err := start(env, "sh", "freeradius/start.sh", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Stop(patience) })
	if err := f.Await("Ready to process requests", patience); err != nil {
		t.Fatal(err)
	}
	return p.auth
}

// startTurnGateway runs a gateway in front of servers on the given ports and
// returns its address.
func startTurnGateway(t *testing.T, number int, servers map[string]int) (address string) {
	t.Helper()
	address, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "[listen]\naddress = [%q]\ncertificate = \"certs/server.pem\"\nprivate_key = \"certs/server.key\"\nclient_ca = \"certs/ca.pem\"\n[metrics]\naddress = \"\"\n[[client]]\nname = \"turns\"\n", address)
	for name, port := range servers {
		fmt.Fprintf(&text, "[[server]]\nname = %q\naddress = \"127.0.0.1\"\nauth_port = %d\nacct_port = 0\ncoa_port = 0\nsecret = %q\nprobe_interval = \"50ms\"\nup_after = 1\n", name, port, udpSecret)
	}
	text.WriteString("[[route]]\nrealms = [\"*\"]\npackets = [\"access\"]\nservers = [\"a\", \"b\", \"comes-and-goes\"]\nbalance = \"sticky\"\n")
	file := shared.path(fmt.Sprintf("turns-%d.toml", number))
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := start(nil, testbed.Program(), "serve", "-config", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(patience); err != nil {
			t.Errorf("the gateway after SIGTERM: %v", err)
		}
	})
	return address
}

// turns receives RADIUS over UDP and sends each packet to the next of the gateways
// over RadSec. The secret is "radsec" on both sides, so packets stay as they are.
type turns struct {
	udp   *net.UDPConn
	conns [2]*tls.Conn

	mu   sync.Mutex // guards the fields below
	peer *net.UDPAddr
	last []byte
	sent [2]int
}

func newTurns(t *testing.T, gateways [2]string) *turns {
	t.Helper()
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	f := &turns{udp: udp}
	config, err := material.In(shared.path("certs")).Client()
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	t.Cleanup(func() {
		udp.Close()
		for _, c := range f.conns {
			if c != nil {
				c.Close()
			}
		}
		done.Wait()
	})
	for i, address := range gateways {
		if f.conns[i] = dialGateway(t, address, config); f.conns[i] == nil {
			t.Fatalf("gateway %d does not accept connections", i)
		}
		done.Go(func() { f.back(f.conns[i]) })
	}
	done.Go(f.forth)
	return f
}

// dialGateway connects to a gateway that may still be starting.
func dialGateway(t *testing.T, address string, config *tls.Config) *tls.Conn {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if c, err := tls.Dial("tcp4", address, config); err == nil {
			return c
		}
	}
	return nil
}

// forth forwards requests to the gateways in turn; one that eapol_test repeats is dropped.
func (f *turns) forth() {
	buf := make([]byte, 4096)
	for n := 0; ; {
		size, peer, err := f.udp.ReadFromUDP(buf)
		if err != nil {
			return
		}
		f.mu.Lock()
		again := bytes.Equal(f.last, buf[:size])
		f.last, f.peer = append(f.last[:0], buf[:size]...), peer
		f.mu.Unlock()
		if again {
			continue
		}
		if _, err := f.conns[n%2].Write(buf[:size]); err != nil {
			return
		}
		f.mu.Lock()
		f.sent[n%2]++
		f.mu.Unlock()
		n++
	}
}

// back forwards the replies of one gateway.
func (f *turns) back(c *tls.Conn) {
	buf := make([]byte, 4096)
	for {
		if _, err := io.ReadFull(c, buf[:4]); err != nil {
			return
		}
		size := min(max(20, int(binary.BigEndian.Uint16(buf[2:]))), len(buf))
		if _, err := io.ReadFull(c, buf[4:size]); err != nil {
			return
		}
		f.mu.Lock()
		peer := f.peer
		f.mu.Unlock()
		if _, err := f.udp.WriteToUDP(buf[:size], peer); err != nil {
			return
		}
	}
}

// eapTLS runs one conversation of a station.
func (f *turns) eapTLS(t *testing.T, station string) testbed.Result {
	t.Helper()
	file := filepath.Join(t.TempDir(), "eapol.conf")
	text := fmt.Sprintf("network={\neapol_flags=0\nkey_mgmt=WPA-EAP\neap=TLS\nidentity=\"bob\"\nca_cert=%q\nclient_cert=%q\nprivate_key=%q\n}\n",
		shared.path("freeradius/certs/eap-ca.pem"), shared.path("freeradius/certs/eap-client.pem"), shared.path("freeradius/certs/eap-client.key"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return run(patience, "", "eapol_test", "-c", file, "-a", "127.0.0.1", "-p", fmt.Sprint(f.udp.LocalAddr().(*net.UDPAddr).Port),
		"-s", "radsec", "-M", station, "-t", "20")
}
