package crlfetch

import (
	"bytes"
	"crypto/x509"
	"reflect"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
)

func exampleFile() (*stored, string) {
	ca := need(certs.NewCA("one"))
	l := made(ca, 1, time.Unix(0, 0), time.Unix(1, 0), "")
	s := &stored{url: "http://crl/a", point: true, fetched: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), tag: validators{`W/"1"`, "Thu, 01 Jan 2026 00:00:00 GMT"},
		lists: []*x509.RevocationList{l, made(ca, 2, time.Unix(0, 0), time.Unix(1, 0), "\x30\x00")}}
	return s, nameOf(s.url)
}

// A file is read as it was written.
//
// Rules: TR9
func TestFileIsReadAsWritten(t *testing.T) {
	s, name := exampleFile()
	got, err := decode(name, s.encode())
	if err != nil {
		t.Fatal(err)
	}
	s.bytes = got.bytes
	for i := range s.lists {
		if !bytes.Equal(s.lists[i].Raw, got.lists[i].Raw) {
			t.Errorf("list %d is another", i)
		}
	}
	got.lists = s.lists
	if !reflect.DeepEqual(got, s) {
		t.Errorf("expected %+v, got %+v", s, got)
	}
}

// A file that was changed, cut short, or is that of another URL is not used.
//
// Rules: TR9
func TestDamagedFiles(t *testing.T) {
	s, name := exampleFile()
	good := string(s.encode())
	for what, text := range map[string]string{
		"empty":                good[:0],
		"cut in the head":      good[:40],
		"cut in a list":        good[:len(good)-100],
		"cut after the head":   good[:strings.Index(good, "-----BEGIN")],
		"another first line":   "x" + good,
		"a line more":          strings.Replace(good, "etag:", "x: y\netag:", 1),
		"another URL":          strings.Replace(good, "http://crl/a", "http://crl/b", 1),
		"a URL that is https":  strings.Replace(good, "http:", "https:", 1),
		"no URL":               strings.Replace(good, "url: http://crl/a\n", "", 1),
		"another time":         strings.Replace(good, "fetched: 2026", "fetched: when", 1),
		"a control character":  strings.Replace(good, "etag: ", "etag: \x01", 1),
		"no empty line":        strings.Replace(good, "\n\n", "\n", 1),
		"text after the lists": good + "x",
	} {
		if _, err := decode(name, []byte(text)); err == nil || strings.ContainsAny(err.Error(), "\n\x01") {
			t.Errorf("%s: expected a one-line error, got %v", what, err)
		}
	}
	if _, err := decode(nameOf("http://crl/b"), []byte(good)); err == nil {
		t.Error("expected a file with another name to be refused")
	}
}

// What a file has is read or refused, and what is read is written as the same.
func FuzzDecode(f *testing.F) {
	s, name := exampleFile()
	good := s.encode()
	for _, seed := range [][]byte{good, nil, good[:100], []byte(fileHead + "\n\n"), bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), []byte(fileHead + "\nurl: http://crl/a\n\n")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decode(name, data)
		if err != nil {
			return
		}
		if got.url != s.url || len(got.lists) == 0 {
			t.Fatalf("expected the URL of the name and a list, got %+v", got)
		}
		again, err := decode(name, got.encode())
		if err != nil || again.url != got.url || again.point != got.point || again.tag != got.tag || !again.fetched.Equal(got.fetched.Truncate(time.Second)) || len(again.lists) != len(got.lists) {
			t.Fatalf("written again, it is read as something else: %v\n%+v\n%+v", err, got, again)
		}
	})
}
