package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// gateway is a running radsec-gw serve.
type gateway struct {
	// static after construction
	t       testing.TB
	bed     *bed
	cmd     *exec.Cmd
	log     *log          // standard error
	exited  chan struct{} // closed when it has ended
	radsec  string        // address
	metrics string        // address
}

// serving is the line of the log with the addresses.
var serving = regexp.MustCompile(`msg=serving radsec=(\S+) metrics=(\S+)`)

// serve runs radsec-gw serve until the test ends, and waits until it serves.
func (b *bed) serve() *gateway {
	b.t.Helper()
	b.configure()
	g := &gateway{t: b.t, bed: b, log: newLog(), exited: make(chan struct{})}
	g.cmd = exec.Command(program, "serve", "-config", "gw.toml")
	g.cmd.Dir = b.dir
	g.cmd.Env = append(os.Environ(), b.environment...)
	g.cmd.Stderr = g.log
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // ctrl-C in a terminal leaves the end to the test
	if err := g.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	go func() {
		_ = g.cmd.Wait() // that it ended is all that matters
		close(g.exited)
		g.log.wake()
	}()
	b.t.Cleanup(func() {
		_ = g.cmd.Process.Kill()
		<-g.exited
		if b.t.Failed() {
			b.t.Logf("the gateway's log:\n%s", g.log)
		}
	})
	if !g.log.await(g.exited, func(text string) bool { return serving.MatchString(text) }) {
		b.t.Fatalf("radsec-gw serve does not serve")
	}
	at := serving.FindStringSubmatch(g.log.String())
	g.radsec, g.metrics = at[1], at[2]
	return g
}

// says waits for a line of the log with all the words, and fails the test when it does not come.
func (g *gateway) says(words ...string) {
	g.t.Helper()
	if !g.log.await(g.exited, func(text string) bool { return lines(text, words...) > 0 }) {
		g.t.Errorf("the log has no line with all of %q", words)
	}
}

// reload asks for the configuration again, and waits until it is in force or refused.
func (g *gateway) reload() {
	g.t.Helper()
	done := func(text string) int {
		return lines(text, "reloaded", "what=configuration") + lines(text, "reload refused", "what=configuration")
	}
	before := done(g.log.String())
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		g.t.Fatal(err)
	}
	if !g.log.await(g.exited, func(text string) bool { return done(text) > before }) {
		g.t.Fatal("SIGHUP has no effect")
	}
}

// get asks for a page.
func (g *gateway) get(path string) (status int, text string) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	response, err := http.DefaultClient.Do(need(http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.metrics+path, nil)))
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, string(need(io.ReadAll(response.Body)))
}

// metric adds up the series of a name that have all of the labels, each as `label="value"`.
func (g *gateway) metric(name string, labels ...string) (total float64) {
	g.t.Helper()
	_, text := g.get("/metrics")
	for line := range strings.Lines(text) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if i := strings.LastIndexByte(line, '}'); i > 0 { // values of labels may have blanks
			series, value = line[:i+1], strings.TrimSpace(line[i+1:])
		}
		is, rest, _ := strings.Cut(series, "{")
		if is != name {
			continue
		}
		has := true
		for _, label := range labels {
			has = has && strings.Contains(rest, label)
		}
		if has {
			total += need(strconv.ParseFloat(value, 64))
		}
	}
	return total
}

// log is what the program has printed.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed and replaced at each write
}

func newLog() *log { return &log{more: make(chan struct{})} }

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(b)
	close(l.more)
	l.more = make(chan struct{})
	return len(b), nil
}

// wake makes those who wait look again.
func (l *log) wake() { _, _ = fmt.Fprint(l, "") }

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits until the text so far is as wanted; it gives up when the program has ended.
func (l *log) await(exited <-chan struct{}, wanted func(text string) bool) bool {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		l.mu.Lock()
		text, more := l.text.String(), l.more
		l.mu.Unlock()
		if wanted(text) {
			return true
		}
		select {
		case <-more:
		case <-exited:
			return wanted(l.String())
		case <-deadline.C:
			return false
		}
	}
}

// lines counts the lines that hold all of the words.
func lines(text string, words ...string) (n int) {
next:
	for line := range strings.Lines(text) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue next
			}
		}
		n++
	}
	return n
}

// eventually asks again and again, and reports whether the answer was yes in time.
func eventually(yes func() bool) bool {
	for deadline := time.Now().Add(patience); ; {
		if yes() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(10 * time.Millisecond) // what is asked is outside of this process
	}
}
