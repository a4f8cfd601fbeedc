package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/spool"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// text returns records in the detail format.
func text(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Sat Nov 28 07:12:53 2026\n\tAcct-Status-Type = Start\n\tAcct-Session-Id = \"%05d\"\n\tTimestamp = 1795849973\n\n", i)
	}
	return b.String()
}

// open opens the spool of a directory that a test has made.
func open(t *testing.T, directory string) *Client {
	t.Helper()
	c, err := openOwn(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Many records are imported, listed, exported and dropped, by number and all.
//
// Rules: SP14
func TestManyRecords(t *testing.T) {
	const many = 20_000
	c := open(t, newSpool(t))
	i, err := c.Import(t.Context(), strings.NewReader(text(many)), "campus")
	if err != nil || i.Stored != many {
		t.Fatalf("expected %d records to be stored, got %+v, %v", many, i, err)
	}
	var numbers []uint64
	if err := c.Each(t.Context(), func(l Line) bool {
		numbers = append(numbers, l.Number)
		return l.Client == "campus" && l.Status == "Start"
	}); err != nil || len(numbers) != many {
		t.Fatalf("expected %d records in the list, got %d, %v", many, len(numbers), err)
	}
	var out bytes.Buffer
	if err := c.Export(t.Context(), &out, numbers[5:7]); err != nil || strings.Count(out.String(), "Acct-Session-Id") != 2 {
		t.Errorf("expected an export of two records, got %q, %v", out.String(), err)
	}
	if err := c.Export(t.Context(), &out, []uint64{numbers[1], 1 << 40}); err == nil || !strings.Contains(err.Error(), "1 of the 2 records are not there, such as 1099511627776") {
		t.Errorf("expected an error about the number that is not there, got %v", err)
	}
	if d, err := c.Drop(t.Context(), numbers[1:], false); err != nil || d.Records != many-1 || d.Left != 1 {
		t.Errorf("expected that all but one are dropped, got %+v, %v", d, err)
	}
	if _, err := c.Drop(t.Context(), nil, false); err == nil || !strings.Contains(err.Error(), "expected numbers of records") {
		t.Errorf("expected an error without numbers, got %v", err)
	}
	if d, err := c.Drop(t.Context(), nil, true); err != nil || d.Left != 0 {
		t.Errorf("expected that nothing is left, got %+v, %v", d, err)
	}
}

// A request that is given up ends.
//
// Rules: SP14
func TestGivenUp(t *testing.T) {
	c := open(t, newSpool(t))
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if err := c.Each(ctx, func(Line) bool { return true }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("expected that the request ends, got %v", err)
	}
}

// There is nothing to open where no gateway has made a spool.
//
// Rules: SP13
func TestNoSpool(t *testing.T) {
	if _, err := Open(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "there is no spool") {
		t.Errorf("expected an error that says so, got %v", err)
	}
}

// Records that several gateways share are not in the database of the directory.
//
// Rules: SP13, GW4
func TestSharedWithoutAGateway(t *testing.T) {
	if _, err := OpenShared(t.Context(), newSpool(t)); err == nil || !strings.Contains(err.Error(), "no gateway answers") {
		t.Errorf("expected an error that says so, got %v", err)
	}
}

// newSpool makes an empty spool, as a gateway does, and returns its directory.
func newSpool(t *testing.T) string {
	t.Helper()
	directory := t.TempDir()
	s := spool.New(spool.Config{Directory: directory, Metrics: metrics.New(prometheus.NewRegistry()).Spool(), Log: slog.New(slog.DiscardHandler)})
	s.Start(t.Context())
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return directory
}

// A number that is none is refused: to list all records instead would be the wrong answer.
//
// Rules: SP14
func TestListAfterNoNumber(t *testing.T) {
	for _, after := range []string{"x", "-1", "18446744073709551616"} {
		r, w := httptest.NewRequest("GET", "/records?after="+after, nil), httptest.NewRecorder()
		handler(nil).ServeHTTP(w, r)
		if want := "after: expected the number of a record"; w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), want) {
			t.Errorf("after %s: expected %d and %q, got %d and %q", after, http.StatusServiceUnavailable, want, w.Code, w.Body)
		}
	}
}
