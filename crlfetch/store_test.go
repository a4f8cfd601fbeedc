package crlfetch

import (
	"context"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// directory makes a directory for the lists.
func (b *bench) directory() string {
	b.settings.Directory = filepath.Join(b.t.TempDir(), "lists") // made with the first list
	return b.settings.Directory
}

// names returns the names in a directory.
func names(t *testing.T, dir string) string {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	var list []string
	for _, e := range all {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}

// again returns a bench after a restart, on the same network and disk.
func (b *bench) again() *bench {
	next := newBench(b.t)
	next.ca, next.settings, next.hosts = b.ca, b.settings, b.hosts
	return next
}

// A restart while the server is down has the lists of before, before anything is fetched, and
// asks for them with what the server called them. So has one with the URL of a certificate,
// though no client has shown that certificate again.
//
// Rules: TR9
func TestRestartWhileTheServerIsDown(t *testing.T) {
	for _, point := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			dir := b.directory()
			good := b.crl(0, 240*time.Hour)
			var condition string
			b.serve("crl", func(w http.ResponseWriter, q *http.Request) {
				condition = q.Header.Get("If-None-Match")
				w.Header().Set("ETag", `"1"`)
				w.Write(good)
			})
			if point {
				b.usePoints()
			}
			f, stop := b.begin()
			f.Offer([]string{"http://crl/a"})
			<-time.After(time.Minute)
			stop()
			if got := names(t, dir); got != nameOf("http://crl/a") {
				t.Fatalf("expected the file of the URL on disk, got %s", got)
			}
			info := need(os.Stat(filepath.Join(dir, nameOf("http://crl/a"))))
			if got := info.Mode().Perm(); got != 0o600 {
				t.Errorf("expected a file of the gateway's user alone, got mode %v", got)
			}

			serving := b.hosts["crl:80"]
			b.serve("crl", nil)
			b = b.again()
			f = New(b.config())
			f.Prepare(t.Context(), b.current())
			b.has(f, "before anything is fetched", good)
			if _, awaited := b.lists(f); awaited {
				t.Error("expected nothing to be awaited with a list from disk")
			}
			if at := f.Sources()[0].Succeeded; time.Since(at) > 2*time.Minute || at.IsZero() {
				t.Errorf("expected the time of the last fetch, got %v", at)
			}
			f, stop = b.begin()
			<-time.After(time.Hour)
			b.has(f, "while the server is down", good)
			b.serve("crl", serving)
			<-time.After(10 * time.Minute)
			stop()
			if condition != `"1"` {
				t.Errorf("expected the server to be asked for what it called the list, got %q", condition)
			}
		})
	}
}

// A list on disk that no configured CA has signed, a damaged file and one of another URL are
// not used; what is fetched replaces them.
//
// Rules: TR9
func TestBadFilesAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		dir := b.directory()
		stranger := newBench(t)
		file := func(url string) []byte {
			l := need(x509.ParseRevocationList(stranger.crl(0, time.Hour)))
			return (&stored{url: url, fetched: time.Now(), lists: []*x509.RevocationList{l}}).encode()
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for what, text := range map[string][]byte{"a foreign list": file("http://crl/a"), "damage": []byte("x"), "another URL": file("http://crl/b")} {
			if err := write(filepath.Join(dir, nameOf("http://crl/a")), text); err != nil {
				t.Fatal(err)
			}
			b := b.again()
			f, stop := b.begin()
			b.has(f, what)
			if !strings.Contains(b.log.String(), "level=WARN") {
				t.Errorf("%s: expected a warning, got\n%s", what, b.log)
			}
			good := b.crl(0, 240*time.Hour)
			b.list(good)
			<-time.After(time.Hour)
			stop()
			b.serve("crl", nil)
			b = b.again()
			f = New(b.config())
			f.Prepare(t.Context(), b.current())
			b.has(f, what+", after it was replaced", good)
		}
	})
}

// While the clock is not set yet, a list on disk that seems to be from the future is used: it
// was checked when it was fetched.
//
// Rules: TR9
func TestListOnDiskBeforeTheClockIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		dir := b.directory()
		der := b.crl(-1000*time.Hour, 10*time.Hour)
		text := (&stored{url: "http://crl/a", fetched: time.Now().Add(1001 * time.Hour), lists: []*x509.RevocationList{need(x509.ParseRevocationList(der))}}).encode()
		if err := write(filepath.Join(dir, nameOf("http://crl/a")), text); err != nil {
			t.Fatal(err)
		}
		f := New(b.config())
		f.Prepare(t.Context(), b.current())
		b.has(f, "before the clock is set", der)
	})
}

// While a file cannot be read, those of URLs that only it may name are left alone. They are
// read when the configuration is read again.
//
// Rules: TR9
func TestUnreadableFilesStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		dir := b.directory()
		b.usePoints()
		good := b.crl(0, 240*time.Hour)
		l := need(x509.ParseRevocationList(good))
		path := filepath.Join(dir, nameOf("http://crl/a"))
		if err := write(path, (&stored{url: "http://crl/a", point: true, fetched: time.Now(), lists: []*x509.RevocationList{l}}).encode()); err != nil {
			t.Fatal(err)
		}
		over := make(chan struct{})
		go b.reader.Call(t.Context(), path, func() error { <-over; return nil })
		synctest.Wait()
		f, stop := b.begin()
		defer stop()
		b.has(f, "while the disk hangs")
		close(over)
		<-time.After(time.Minute)
		if got := names(t, dir); got != nameOf("http://crl/a") {
			t.Fatalf("expected the file to stay, got %s", got)
		}
		b.change(t.Context(), f)
		b.has(f, "once the disk answers", good)
	})
}

// Files of URLs that are no longer configured and old half-written ones are removed; files with
// other names stay.
//
// Rules: TR9
func TestFilesAreTidied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		dir := b.directory()
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		old, fresh := nameOf("http://crl/a")+".123.tmp", nameOf("http://crl/a")+".456.tmp"
		mine := []string{"ca.pem", "radsec-gw-x.crl", nameOf("http://crl/old") + ".bak"}
		for _, name := range append([]string{old, fresh, nameOf("http://crl/old")}, mine...) {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			at := time.Now()
			if name == old {
				at = at.Add(-2 * tempAge)
			}
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
		b.list(b.crl(0, time.Hour))
		f, stop := b.begin()
		defer stop()
		<-time.After(time.Minute)
		for _, name := range append([]string{nameOf("http://crl/a"), fresh}, mine...) {
			if !strings.Contains(names(t, dir), name) {
				t.Errorf("expected %s to stay, got %s", name, names(t, dir))
			}
		}
		if got := names(t, dir); strings.Contains(got, old) || strings.Contains(got, nameOf("http://crl/old")+" ") {
			t.Errorf("expected the old files to be removed, got %s", got)
		}
		b.set()
		b.change(t.Context(), f)
		<-time.After(time.Second)
		if got := names(t, dir); strings.Contains(got, nameOf("http://crl/a")+" ") {
			t.Errorf("expected the file of a URL that was removed to be gone, got %s", got)
		}
	})
}

// A disk that is full, or whose directory cannot be made, changes nothing but that the list is
// not kept: it is in use, that is logged and counted, and the next fetch tries again.
//
// Rules: TR9
func TestDiskThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		dir := b.directory()
		if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file is where the directory should be
			t.Fatal(err)
		}
		good := b.crl(0, 240*time.Hour)
		b.list(good)
		f, stop := b.begin()
		defer stop()
		<-time.After(time.Minute + time.Second) // the line of a minute is logged at its end
		b.has(f, "with a disk that takes nothing", good)
		if b.metric("crl_store_errors_total") == 0 || !strings.Contains(b.log.String(), "cannot be kept on disk") {
			t.Errorf("expected it to be counted and logged, got\n%s", b.log)
		}
		if b.metric("crl_fetch_failing") != 0 {
			t.Error("expected the fetch itself not to have failed")
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		if got := names(t, dir); got != nameOf("http://crl/a") {
			t.Errorf("expected the file once the disk works, got %s", got)
		}
	})
}

// A disk that hangs delays nothing but itself: lists are fetched, in use, and announced.
//
// Rules: TR9
func TestDiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		dir := b.directory()
		over := make(chan struct{})
		go b.reader.Call(t.Context(), filepath.Join(dir, nameOf("http://crl/a")), func() error { <-over; return nil })
		synctest.Wait()
		good := b.crl(0, 240*time.Hour)
		b.list(good)
		f, stop := b.begin()
		defer stop()
		<-f.Changed()
		b.has(f, "with a disk that hangs", good)
		next := b.crl(-time.Minute, 240*time.Hour)
		b.list(next)
		f.Refresh()
		<-f.Changed()
		b.has(f, "with a disk that hangs, again", next)
		<-time.After(10 * time.Second)
		if !strings.Contains(b.log.String(), "blocks: expected an answer within 5s") {
			t.Errorf("expected the cause in the log, got\n%s", b.log)
		}
		close(over)
		<-time.After(time.Hour)
		if got := names(t, dir); got != nameOf("http://crl/a") {
			t.Errorf("expected the file once the disk works, got %s", got)
		}
	})
}

// Another directory gets the lists that are in use; the file in the old one stays.
//
// Rules: TR9
func TestDirectoryChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		first := b.directory()
		b.list(b.crl(0, 240*time.Hour))
		f, stop := b.begin()
		defer stop()
		<-time.After(time.Minute)
		second := b.directory()
		b.serve("crl", nil)
		b.change(t.Context(), f)
		<-time.After(time.Minute)
		for _, dir := range []string{first, second} {
			if got := names(t, dir); got != nameOf("http://crl/a") {
				t.Errorf("expected the file in both directories, got %s", got)
			}
		}
	})
}

// A certificate's URL whose list is out of date for a month is forgotten by a restart.
//
// Rules: TR9
func TestAbandonedPoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.directory()
		b.usePoints()
		b.list(b.crl(0, time.Hour))
		f, stop := b.begin()
		f.Offer([]string{"http://crl/a"})
		<-time.After(time.Minute)
		stop()
		for _, row := range []struct {
			after time.Duration
			want  int
		}{{time.Hour + pointAge - 2*time.Minute, 1}, {2 * time.Minute, 0}} {
			<-time.After(row.after)
			f := New(b.config())
			f.Prepare(context.Background(), b.current())
			if got := len(f.Sources()); got != row.want {
				t.Errorf("after %v more: expected %d URLs, got %d", row.after, row.want, got)
			}
		}
	})
}
