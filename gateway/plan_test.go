package gateway

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/gateway/gatewaytest"
)

// Start uses what Load has read: a change of a file between them has no effect.
//
// Fault L3.
func TestWhatWasCheckedIsServed(t *testing.T) {
	dir, file := gatewaytest.Dir(t, gatewaytest.Config(1812))
	p := planOf(t, file)
	checked, err := os.ReadFile(filepath.Join(dir, "certs/dev/server.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"server.pem", "server.key", "ca.pem"} {
		gatewaytest.WriteFile(t, filepath.Join(dir, "certs/dev", name), []byte("changed after the check"))
	}
	ctx, cancel := context.WithCancel(context.Background())
	g, err := Start(ctx, p, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		cancel()
		t.Fatalf("expected that files are not read again, got %v", err)
	}
	chain, err := certs.ParseCertificates("server.pem", checked)
	if err != nil {
		t.Fatal(err)
	}
	if leaf := g.listen().Config().Certificate.Leaf; !leaf.Equal(chain[0]) {
		t.Errorf("expected the certificate of %v, got that of %v", chain[0].Subject, leaf.Subject)
	}
	cancel()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// mistakesOf returns the mistakes of a configuration, which must have some.
func mistakesOf(t *testing.T, file string) config.Mistakes {
	t.Helper()
	_, err := Load(t.Context(), file)
	var list config.Mistakes
	if !errors.As(err, &list) {
		t.Fatalf("expected mistakes, got %v", err)
	}
	return list
}

// A mistake in the files, or in the routing table, has a line like any other.
func TestMistakesOfFilesAndRoutes(t *testing.T) {
	good, err := certs.NewCA("another CA")
	if err != nil {
		t.Fatal(err)
	}
	other, err := good.Server([]string{"elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := other.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name string
		old  string
		new  string // replaces old in the file
		file string // to write
		text []byte
		n    int // mistakes; 0: one
		want []string
	}{
		{"unknown key and bad value", "balance = ", "balanse = 1\nbalance = 2 #", "", nil, 2, []string{
			`c.toml:31: route[1].balanse: unknown key`, `c.toml:32: route[1].balance: expected a string in quotes, got the integer 2`}},
		{"key of another certificate", "", "", "certs/dev/server.key", key, 0, []string{
			"c.toml:2: listen.certificate: ", "server.key is not the key of the first certificate in "}},
		{"key for certificate", "", "", "certs/dev/server.pem", key, 0, []string{`c.toml:2: listen.certificate: `, `server.pem:1: expected PEM with "BEGIN CERTIFICATE", got "PRIVATE KEY": a private key belongs in a file of its own`}},
		{"certificate for key", "", "", "certs/dev/server.key", other.CertPEM(), 0, []string{`server.key:1: expected PEM with "BEGIN PRIVATE KEY", got "CERTIFICATE"`}},
		{"CA of nothing", "", "", "certs/dev/ca.pem", []byte("hello"), 0, []string{`c.toml:4: listen.client_ca: `, `expected PEM with "BEGIN CERTIFICATE", got 5 bytes without`}},
		{"CA that is none", "", "", "certs/dev/ca.pem", other.CertPEM(), 0, []string{`c.toml:4: listen.client_ca: `, `is not a CA (basicConstraints)`}},
		{"CA and key at once", "client_ca = \"certs/dev/ca.pem\"", "client_ca = \"certs/dev/client.pem\"", "certs/dev/server.key", []byte("x"), 2, []string{"c.toml:3: listen.private_key: ", "c.toml:4: "}},
		{"one realm in two forms", `"example.org", "*.b`, "\"\u00fc.example\", \"u\u0308.example\", \"*.b", "", nil, 0, []string{"c.toml:28: route[1].realms[2]: \"u\u0308.example\" is already routed by line 28"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			dir, file := gatewaytest.Dir(t, strings.Replace(gatewaytest.TwoServers, x.old, x.new, 1))
			if x.file != "" {
				gatewaytest.WriteFile(t, filepath.Join(dir, x.file), x.text)
			}
			got := mistakesOf(t, file)
			if len(got) != max(x.n, 1) {
				t.Errorf("expected %d mistakes, got %d", max(x.n, 1), len(got))
			}
			for _, want := range x.want {
				if !strings.Contains(got.Error(), want) {
					t.Errorf("expected %q, got\n%s", want, got)
				}
			}
		})
	}
}

// Load reports every mistake: of the file, inside the files that it names, and
// of the routing table, each once, by line. A mistake that is the result of another is not
// reported.
func TestAllMistakesAtOnce(t *testing.T) {
	text := strings.NewReplacer(
		"[[client]]\nname = \"campus\"", "crl = [\"garbage.pem\", \"nofile\"]\nsession_ticket_keys = \"garbage.pem\"\n[[client]]\nname = \"campus\"",
		`packets = ["access", "coa"]`, `packets = ["acces"]`,
		`"example.org", "*.b`, "\"\u00fc.example\", \"u\u0308.example\", \"*.com\", \"*.b",
		`balance = "sticky"`, `balanse = "sticky"`,
	).Replace(gatewaytest.TwoServers) + "[metrics]\ncertificate = \"garbage.pem\"\nprivate_key = \"nokey.pem\"\n"
	dir, file := gatewaytest.Dir(t, text)
	for _, name := range []string{"garbage.pem", "certs/dev/server.key", "certs/dev/server.pem"} {
		gatewaytest.WriteFile(t, filepath.Join(dir, name), []byte("garbage"))
	}
	want := []string{
		`2: listen.certificate: `, `3: listen.private_key: `, `5: listen.crl[1]: expected a readable file, got "nofile"`, `5: listen.crl[0]: `,
		`6: listen.session_ticket_keys: `, `11: client[0].packets[0]: `,
		`30: route[1].realms[3]: expected a suffix of two labels`, "30: route[1].realms[2]: \"u\u0308.example\" is already routed by line 30", `33: route[1].balanse: unknown key`,
		`36: metrics.certificate: `, `37: metrics.private_key: expected a readable file`,
	}
	got := strings.Split(strings.ReplaceAll(mistakesOf(t, file).Error(), file+":", ""), "\n")
	for i, line := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], line) {
			t.Fatalf("expected %q as line %d, got\n%s", line, i+1, strings.Join(got, "\n"))
		}
	}
	if len(got) != len(want) {
		t.Errorf("expected %d lines, got\n%s", len(want), strings.Join(got, "\n"))
	}
}

// A mistake in the operators of a route has its line.
// Rules: P87, P90
func TestMistakeInOperators(t *testing.T) {
	_, file := gatewaytest.Dir(t, gatewaytest.TwoServers+"[[route]]\noperators = [\"wbaid:X\", \"4EXAMPLE\"]\npackets = [\"coa\"]\nservers = [\"a\"]\n")
	if err := mistakesOf(t, file); !strings.Contains(err.Error(), `c.toml:34: route[2].operators[1]: expected "tadig:", "e212:", "icc:" or "wbaid:"`) {
		t.Errorf("expected the mistake in operators, got %v", err)
	}
}
