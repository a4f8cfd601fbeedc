package rewriting

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/bench/ports"
	"radsec-gw/certs"
	"radsec-gw/importer"
	theirconf "radsec-gw/importer/radsecproxy"
)

// The gateway, with the configuration that the import makes of radsecproxy's, makes the same
// packet as radsecproxy in each case, or what the case says.
// AR1, AR2, AR5, AR7, AR9.
func TestImportedLikeRadsecproxy(t *testing.T) {
	s := startServer(t, "udp-Secret-6")
	theirs, ours := startRadsecproxy(t, cases, s), startImported(t, cases, s)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if c.ends == "" && (c.because == "" || c.imports) {
				want = c.through(t, theirs, i, s)
			}
			if got := c.through(t, ours, i, s); got != want {
				t.Errorf("the gateway makes\n %s\nexpected\n %s", got, want)
			}
		})
	}
}

// startImported starts the gateway with what radsecproxy's configuration becomes.
func startImported(t *testing.T, cases []rewriting, s *server) *gateway {
	t.Helper()
	list, err := ports.TCP(1)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{port: list[0], dir: t.TempDir()}
	if _, err := certs.WriteDir(g.dir, certs.DirOptions{Clients: []string{"client"}}); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ListenTLS 127.0.0.1:%d\ntls default {\n\tCACertificateFile %s\n\tCertificateFile %s\n\tCertificateKeyFile %s\n}\n",
		g.port, filepath.Join(g.dir, "ca.pem"), filepath.Join(g.dir, "server.pem"), filepath.Join(g.dir, "server.key"))
	for i, c := range cases {
		b.WriteString(c.radsecproxyBlocks(i, "type tls\n\tcertificateNameCheck off"))
	}
	fmt.Fprintf(&b, "server s {\n\thost 127.0.0.1\n\ttype udp\n\tport %d\n\tsecret %s\n\tStatusServer off\n}\nrealm * {\n\tserver s\n}\n", s.port(), s.secret)
	theirs := filepath.Join(g.dir, "radsecproxy.conf")
	if err := os.WriteFile(theirs, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &importer.Draft{Source: "radsecproxy.conf"}
	if err := theirconf.Import(importer.Disk(), theirs, d); err != nil {
		t.Fatal(err)
	}
	for _, n := range d.Notes() {
		if strings.Contains(n.Text, "Attribute ") {
			t.Errorf("expected every rewriting to be carried over, got %v", n)
		}
	}
	b.Reset()
	if _, err := d.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\n[routing]\nloop_marker = false\n[metrics]\naddress = \"\"\n[tap]\nsocket = \"\"\n")
	file := filepath.Join(g.dir, "radsec-gw.toml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	serve(t, file)
	return g
}
