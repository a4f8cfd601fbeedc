package documents

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// command is one command of a document, with its further lines: those after a backslash, in
// quotes, and of a here-document.
type command struct {
	document string // path in the repository
	heading  string // of the section, without the number signs
	line     int    // from 1
	text     string // as a shell reads it
}

// name is the text without a comment at its end, for the tables.
func (c command) name() string {
	return strings.TrimSpace(regexp.MustCompile(`(?m)\s+#\s.*$`).ReplaceAllString(c.text, ""))
}

// documents returns the paths of the Markdown files of the repository.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	root := os.DirFS(repository)
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || path == "dist"):
			return fs.SkipDir
		case filepath.Ext(path) == ".md":
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 10 {
		t.Fatalf("expected ten documents or more, got %q", paths)
	}
	return paths
}

// allCommands returns the commands of all documents, in order.
func allCommands(t *testing.T) (all []command) {
	t.Helper()
	for _, path := range documents(t) {
		text, err := os.ReadFile(filepath.Join(repository, path))
		if err != nil {
			t.Fatal(err)
		}
		found := parse(path, string(text))
		if blocks := strings.Count(string(text), "```sh\n"); blocks > 0 && len(found) < blocks {
			t.Errorf("%s: expected a command in each of %d blocks, got %d", path, blocks, len(found))
		}
		all = append(all, found...)
	}
	return all
}

// parse returns the commands of one document.
func parse(path, text string) (found []command) {
	fence := regexp.MustCompile("^( *)```(.*)$")
	heading, indent, language, inside := "", "", "", false
	var current *command
	for n, line := range strings.Split(text, "\n") {
		if m := fence.FindStringSubmatch(line); m != nil {
			inside, indent, language, current = !inside, m[1], m[2], nil
			continue
		}
		if after, is := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); is && strings.HasPrefix(line, "#") && !inside {
			heading = after
		}
		line = strings.TrimPrefix(line, indent)
		if !inside || language != "sh" || current == nil && (strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#")) {
			continue
		}
		if current == nil {
			found = append(found, command{document: path, heading: heading, line: n + 1, text: line})
			current = &found[len(found)-1]
		} else {
			current.text += "\n" + line
		}
		if complete(current.text) {
			current = nil
		}
	}
	return found
}

// complete reports whether a shell would run the text without waiting for more.
func complete(text string) bool {
	if m := regexp.MustCompile(`<<'?(\w+)'?`).FindStringSubmatch(text); m != nil {
		return strings.HasSuffix(text, "\n"+m[1])
	}
	single, double := false, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && !single:
			i++
		case c == '\'' && !double:
			single = !single
		case c == '"' && !single:
			double = !double
		case c == '#' && !single && !double && i > 0 && text[i-1] == ' ': // a comment, to the end of the line
			i += strings.IndexByte(text[i:]+"\n", '\n')
		}
	}
	return !single && !double && !strings.HasSuffix(text, `\`)
}

// Blocks of other languages, blank lines and comments hold no command; quotes, backslashes and
// here-documents continue one.
func TestParse(t *testing.T) {
	document := strings.Join([]string{"# Title", "```sh", "one   # it's first", "", "# only a comment", "two \\", "  more", "```", "```toml", "no = 1", "```",
		"## Second", "1. text", "", "   ```sh", "   sed 's/a/", "   b/' \"x", "   y\"", "   cat <<'EOF'", "   # kept", "   EOF", "   three", "   ```"}, "\n")
	var got []string
	for _, c := range parse("x.md", document) {
		got = append(got, c.heading+": "+c.text)
	}
	want := []string{"Title: one   # it's first", "Title: two \\\n  more", "Second: sed 's/a/\nb/' \"x\ny\"", "Second: cat <<'EOF'\n# kept\nEOF", "Second: three"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("expected %q, got %q", want, got)
	}
	if name := parse("x.md", document)[0].name(); name != "one" {
		t.Errorf(`expected the name "one", got %q`, name)
	}
}
