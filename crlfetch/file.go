package crlfetch

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"radsec-gw/certs"
)

// stored is what a file has.
type stored struct {
	url     string
	point   bool
	fetched time.Time
	tag     validators
	lists   []*x509.RevocationList
	bytes   int // of lists
}

// Names of files: the SHA-256 of the URL, so that no URL leads out of the directory; while it
// is written with something random behind.
var (
	fileName = regexp.MustCompile(`^radsec-gw-[0-9a-f]{64}\.crl$`)
	tempName = regexp.MustCompile(`^radsec-gw-[0-9a-f]{64}\.crl\.[0-9]+\.tmp$`)
)

// nameOf returns the name of a URL's file.
func nameOf(url string) string {
	sum := sha256.Sum256([]byte(url))
	return "radsec-gw-" + hex.EncodeToString(sum[:]) + ".crl"
}

const (
	fileHead = "radsec-gw revocation list 1"
	maxHead  = 8 << 10 // bytes of the lines before the lists
)

// encode returns the content of a file: some lines, an empty line, then the lists in PEM, which
// `openssl crl` reads, too.
func (s *stored) encode() []byte {
	var b bytes.Buffer
	from := "configuration"
	if s.point {
		from = "certificate"
	}
	fmt.Fprintf(&b, "%s\nurl: %s\nfrom: %s\nfetched: %s\n", fileHead, s.url, from, s.fetched.UTC().Format(time.RFC3339))
	if s.tag.etag != "" {
		fmt.Fprintf(&b, "etag: %s\n", s.tag.etag)
	}
	if s.tag.modified != "" {
		fmt.Fprintf(&b, "last-modified: %s\n", s.tag.modified)
	}
	b.WriteByte('\n')
	for _, l := range s.lists {
		pem.Encode(&b, &pem.Block{Type: "X509 CRL", Bytes: l.Raw})
	}
	return b.Bytes()
}

// decode reads the content of a file.
func decode(name string, data []byte) (*stored, error) {
	head, _, found := bytes.Cut(data[:min(len(data), maxHead)], []byte("\n\n"))
	if !found {
		return nil, errors.New("expected an empty line before the lists, got none")
	}
	lists := data[len(head)+2:]
	lines := strings.Split(string(head), "\n")
	if lines[0] != fileHead {
		return nil, fmt.Errorf("expected %q in the first line, got %q", fileHead, clip(lines[0]))
	}
	s := &stored{bytes: len(lists)}
	for _, line := range lines[1:] {
		if err := s.decodeLine(line); err != nil {
			return nil, err
		}
	}
	if !usablePoint(s.url) || nameOf(s.url) != name {
		return nil, fmt.Errorf("expected the URL that the name of the file is the SHA-256 of, got %q", clip(s.url))
	}
	var err error
	s.lists, err = certs.ParseCRLs(name, lists)
	return s, err
}

// decodeLine reads one line before the lists.
func (s *stored) decodeLine(line string) (err error) {
	key, value, _ := strings.Cut(line, ": ")
	if !isPrintable(value) {
		return fmt.Errorf("expected printable text after %q", clip(key))
	}
	switch key {
	case "url":
		s.url = value
	case "from":
		s.point = value == "certificate"
	case "fetched":
		s.fetched, err = time.Parse(time.RFC3339, value)
	case "etag":
		s.tag.etag = value
	case "last-modified":
		s.tag.modified = value
	default:
		return fmt.Errorf("the line %q is not known", clip(key))
	}
	return err
}

// sorted returns lists in the order in which they are written.
func sorted(lists map[listKey]*x509.RevocationList) []*x509.RevocationList {
	return slices.SortedFunc(maps.Values(lists), func(a, b *x509.RevocationList) int {
		return cmp.Or(bytes.Compare(a.RawIssuer, b.RawIssuer), bytes.Compare(a.Raw, b.Raw))
	})
}
