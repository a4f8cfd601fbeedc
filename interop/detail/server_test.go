package detail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
	"radsec-gw/spool/detail"
)

const secret = "detail-Secret-1" // radclient to FreeRADIUS

func TestMain(m *testing.M) {
	if err := testbed.NeedPrograms("freeradius", "radclient", "sed"); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// config is FreeRADIUS's configuration: the modules detail and preprocess and the policies for
// accounting are Debian's.
const config = `
prefix = /usr
raddbdir = %[1]s
debian = /etc/freeradius/3.0
modconfdir = ${debian}/mods-config
logdir = %[1]s/log
radacctdir = %[1]s/radacct
run_dir = %[1]s/run
libdir = /usr/lib/freeradius
pidfile = ${run_dir}/radiusd.pid
max_requests = 65536
log {
	destination = stdout
}
security {
	max_attributes = 200
	reject_delay = 0
	status_server = yes
}
client radclient {
	ipaddr = 127.0.0.1
	secret = %[2]s
}
modules {
	$INCLUDE ${debian}/mods-available/detail
	$INCLUDE ${debian}/mods-available/preprocess
	expr {
	}
}
policy {
	$INCLUDE ${debian}/policy.d/accounting
}
server default {
	listen {
		%[3]s
	}
	preacct {
		%[4]s
	}
	accounting {
		detail
	}
}
`

// preacct is what Debian's server has before accounting, as far as it adds attributes.
const preacct = "preprocess\n\t\tacct_unique"

// server is a FreeRADIUS.
type server struct {
	*process.Process
	dir string
}

// startServer runs FreeRADIUS in a time zone. What it prints is shown when the test has failed.
func startServer(t *testing.T, dir, zone, listen, preacct string) *server {
	t.Helper()
	for _, name := range []string{"log", "radacct", "run"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "radiusd.conf"), fmt.Appendf(nil, config, dir, secret, listen, preacct), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("freeradius", "-d", dir, "-n", "radiusd", "-f", "-l", "stdout")
	cmd.Env = append(os.Environ(), "TZ="+zone)
	p, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("FreeRADIUS's output:\n%s", p.Output().Last(30))
		}
	})
	if err := p.Await("Ready to process requests", testbed.Patience); err != nil {
		t.Fatal(err)
	}
	return &server{p, dir}
}

// receive runs a server that receives accounting, and returns its port.
func receive(t *testing.T, zone string) (s *server, port int) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port = conn.LocalAddr().(*net.UDPAddr).Port
	conn.Close()
	return startServer(t, t.TempDir(), zone, fmt.Sprintf("type = acct\n\t\tipaddr = 127.0.0.1\n\t\tport = %d", port), preacct), port
}

// read has a server read records from a detail file, to its end, and returns what it has written.
func read(t *testing.T, zone, preacct string, records []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(in, "records.detail"), records, 0o644); err != nil {
		t.Fatal(err)
	}
	listen := fmt.Sprintf("type = detail\n\t\tfilename = %s/*.detail\n\t\tload_factor = 100\n\t\tpoll_interval = 1\n\t\tone_shot = yes", in)
	s := startServer(t, dir, zone, listen, preacct)
	if !s.Output().Await(testbed.Patience, func(text string) bool { return strings.Contains(text, "Finished reading") }) {
		t.Fatalf("FreeRADIUS has not finished reading (%v); it has written %d bytes", s.Err(), len(s.written(t)))
	}
	return s.written(t)
}

// written returns what the server has written. A record is written before it is answered, and
// before the next is read.
func (s *server) written(t *testing.T) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "radacct/*/detail-*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files) // the name has the date
	var all [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	return bytes.Join(all, nil)
}

// parse returns the records of a text.
func parse(t *testing.T, text []byte) (records []*detail.Record) {
	t.Helper()
	in := detail.NewReader(bytes.NewReader(text))
	for {
		r, err := in.Next()
		if errors.Is(err, io.EOF) {
			return records
		}
		if err != nil {
			var bad *detail.RecordError
			if errors.As(err, &bad) {
				t.Logf("FreeRADIUS has written %s", bytes.Split(text, []byte("\n"))[bad.Line-1])
			}
			t.Fatal(err)
		}
		records = append(records, r)
	}
}
