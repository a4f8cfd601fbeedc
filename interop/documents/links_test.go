package documents

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A block of a document, in whichever language; a link with its path and its anchor.
var (
	blocks = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	link   = regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]*))?\)`)
)

// Links within the repository lead to a file that exists, and to a heading that it has.
func TestLinks(t *testing.T) {
	checked := 0
	for _, document := range documents(t) {
		text, err := os.ReadFile(filepath.Join(repository, document))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(blocks.ReplaceAllString(string(text), ""), -1) {
			path, anchor := m[1], m[2]
			if strings.Contains(path, "://") || strings.HasPrefix(path, "mailto:") {
				continue
			}
			checked++
			target := filepath.Join(repository, filepath.Dir(document), path)
			if path == "" {
				target = filepath.Join(repository, document)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s: %v", document, m[0], err)
			} else if anchor != "" && !hasHeading(t, target, anchor) {
				t.Errorf("%s: %s: there is no such heading", document, m[0])
			}
		}
	}
	if checked < 100 {
		t.Errorf("expected 100 links or more, got %d", checked)
	}
}

// hasHeading reports whether a heading of the file has the anchor: its text in lower case, blanks
// as hyphens, without punctuation.
func hasHeading(t *testing.T, file, anchor string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	punctuation := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		if strings.ReplaceAll(punctuation.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}
