package files

import (
	"errors"
	"strings"
	"testing"
)

// A panic of a parser is an error that names the file, with what Go says of it and nothing
// else; the parser's own error is returned as it is.
//
// Fault S12.
func TestPanicOfAParserIsAnError(t *testing.T) {
	s := NewReader().Snapshot(t.Context())
	if err := s.Parse("a.pem", func() error { return nil }); err != nil {
		t.Errorf("without a mistake: %v", err)
	}
	own := errors.New("a mistake")
	if err := s.Parse("a.pem", func() error { return own }); err != own {
		t.Errorf("expected the parser's own error, got %v", err)
	}
	err := s.Parse("a.pem", func() error { panic("s3cr3t") })
	if err == nil || !strings.Contains(err.Error(), "a.pem has something that makes the parser fail") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("a panic: expected an error that names the file and quotes nothing, got %v", err)
	}
	var none []int
	if err := s.Parse("a.pem", func() error { none[len(none)] = 1; return nil }); err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("an index out of range: expected an error that says so, got %v", err)
	}
}
