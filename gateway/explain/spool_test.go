package explain

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/spool"
)

// spooling is a configuration whose first route, to server a, uses a spool with these keys.
func spooling(keys string) string {
	const first = "servers = [\"a\"]\n"
	return strings.Replace(gatewaytest.TwoServers, first, first+"spool = true\nspool_after = \"3s\"\n", 1) + "\n[spool]\n" + keys
}

// The report says when accounting goes to the spool, where that is, and what its bounds mean.
func TestReportOnTheSpool(t *testing.T) {
	dir, file := gatewaytest.Dir(t, spooling("directory = \"kept\"\nmax_records = 2000000\nmax_octets = \"3MiB\"\nmax_age = \"36h\"\nattempts = 1\nreplace_interims = true\n"))
	plain := strings.Join(strings.Fields(reportOf(t, file)), " ")
	for _, want := range []string{
		"*.example.org accounting a 127.0.0.1:1813 failover to the spool",
		"route 1, to a there is no other server an Accounting-Request goes to the spool, and is acknowledged when it is stored: when no server has answered it after 3s (spool_after)",
		"at once when no server of the route can be reached at once when an earlier record of its session is there",
		"if it cannot be stored, it is given up like another request given up: ",
		"Accounting spool: what no server has answered is kept, and sent later directory " + filepath.Join(dir, "kept") + " ",
		"holds at most 3 MiB of records (max_octets), and 2000000 records (max_records), which take about 450 MB of memory",
		"drops records that are older than 36h0m0s (max_age)",
		"replaces Interim-Updates",
		"at most 200 records a second (replay_rate), of which at most 32 wait for an answer (replay_window)",
		"one record at a time, after pauses of 1s to 30s",
		"a record that got no answer once while its servers answered others (attempts): to " + filepath.Join(dir, "kept", spool.AsideFile) + ", from where radsec-gw spool retry",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("expected %q in the report, got:\n%s", want, plain)
		}
	}
	if strings.Contains(plain, "spool.directory:") {
		t.Errorf("expected no warning about a directory that can be made, got\n%s", plain)
	}
	if _, err := os.Stat(filepath.Join(dir, "kept")); err == nil {
		t.Error("check has made the directory")
	}
	_, file = gatewaytest.Dir(t, gatewaytest.TwoServers)
	if out := reportOf(t, file); strings.Contains(out, "spool") {
		t.Errorf("expected nothing of a spool that no route uses, got\n%s", out)
	}
}

// Of records that several gateways share, the report says where they are.
//
// Rules: GW4
func TestReportOnASharedSpool(t *testing.T) {
	for replicas, want := range map[string]string{"1": "in one copy", "3": "in 3 copies"} {
		_, file := gatewaytest.Dir(t, spooling("directory = \"kept\"\nstore = \"jetstream\"\nreplicas = "+replicas+"\n[cluster]\nnats = [\"nats://127.0.0.1:1\"]\nprefix = \"north\"\n"))
		plain := strings.Join(strings.Fields(reportOf(t, file)), " ")
		if want := "a JetStream stream in the NATS of [cluster], " + want + `, which all gateways with prefix "north" share`; !strings.Contains(plain, want) {
			t.Errorf("expected %q in the report, got:\n%s", want, plain)
		}
		if strings.Contains(plain, "max_octets): what arrives when it is full") {
			t.Errorf("expected nothing about the space on this disk, got\n%s", plain)
		}
	}
}

// check warns of a directory in which serve could not store, with the line of its key. It
// leaves nothing there.
// Rules: SP4, SP10
func TestWarnsOfTheSpoolsDirectory(t *testing.T) {
	dir, file := gatewaytest.Dir(t, spooling("directory = \"kept\"\nmax_octets = \"1MiB\"\n"))
	kept := filepath.Join(dir, "kept")
	report := func(says, want string) {
		t.Helper()
		out := reportOf(t, file)
		if want == "" && strings.Contains(out, "spool.directory:") || !strings.Contains(out, want) {
			t.Errorf("%s: expected the warning %q, got\n%s", says, want, out)
		}
	}
	gatewaytest.WriteFile(t, kept, []byte("notes"))
	report("a file in its place", file+":37: spool.directory: "+kept+" is not a directory; accounting that no server answers could not be stored")
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	report("an empty directory", "")
	if list, err := os.ReadDir(kept); err != nil || len(list) > 0 {
		t.Errorf("check has left %v in the directory (%v)", list, err)
	}
	key := filepath.Join(kept, "key")
	gatewaytest.WriteFile(t, key, []byte(strings.Repeat("ab", 32)+"\n"))
	report("a key", "")
	chmod(t, key, 0o640)
	report("a key that others can read", "spool.directory: "+key+": expected a file that only its owner can read (mode 0600), got mode 0640")
	chmod(t, key, 0o600)
	gatewaytest.WriteFile(t, key, []byte("not a key"))
	report("a damaged key", "spool.directory: "+key+": expected 64 hexadecimal digits")
}

// Owners and modes of the directory, of what is in it and of what is above it decide whether
// the service may store there.
func TestWhoMayStore(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	if err := os.Mkdir(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(kept, "spool.db")
	gatewaytest.WriteFile(t, path, nil)
	openTo(t, path)
	for _, x := range []struct {
		folder, file fs.FileMode
		path, want   string
	}{
		{0o777, 0o666, kept, ""},
		{0o777, 0o600, kept, path},
		{0o777, 0o644, kept, path},
		{0o755, 0o666, kept, kept},
		{0o700, 0o666, kept, kept},
		{0o755, 0o666, filepath.Join(kept, "deeper", "still"), kept},
		{0o777, 0o666, filepath.Join(kept, "deeper", "still"), ""},
	} {
		chmod(t, kept, x.folder)
		chmod(t, path, x.file)
		if got := nobody.unwritable(x.path); got != x.want {
			t.Errorf("folder %o, file %o: expected that %s cannot write to %q, got %q", x.folder, x.file, nobody.name, x.want, got)
		}
	}
}

// Sizes and lengths of time are written as people write them.
func TestTextsOfTheSpool(t *testing.T) {
	for got, want := range map[string]string{
		sizeText(1 << 30): "1 GiB", sizeText(1 << 40): "1 TiB", sizeText(1536 << 10): "1536 KiB", sizeText(100e6): "100000000 bytes",
		daysText(7 * 24 * time.Hour): "7 days", daysText(24 * time.Hour): "1 day", daysText(90 * time.Minute): "1h30m0s",
		memoryText(1_000_000): "225 MB", memoryText(1): "1 MB", memoryText(10_000_000): "2250 MB",
		timesText(1): "once", timesText(10): "10 times",
	} {
		if got != want {
			t.Errorf("got %q, expected %q", got, want)
		}
	}
}
