package conformance_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// oldWords are phrases that operators and readers stumbled over, as regular expressions,
// and what to write instead. A blank stands for any white space.
var oldWords = []struct{ old, instead string }{
	{`, came\b`, `"expected X, got Y"`},
	{`\bstands? here\b`, `"is listed twice", "is here"`},
	{`\bis the name of line\b`, `"is already used on line 7"`},
	{`\b(is|are) no (a |an |)?[A-Za-z0-9-]+\b`, `"is not a CA"`},
	{`\brooms?\b`, `"package", "space"`},
	{`\bcase apart\b`, `"ignoring case"`},
	{`\breckoned\b`, `"computed"`},
	{`\b(ran|runs?|running) out on\b`, `"expired on", "expires on"`},
	{`\bis out of date since\b`, `"has been out of date since"`},
	{`\bused wrongly\b`, `"usage error"`},
	{`\bleft_out\b`, `"suppressed"`},
	{`\babsolute enough\b`, `"resolves the path against the file's directory"`},
	{`\btwo slips\b`, `"within edit distance 2"`},
	{`\b(is|are) to kill\b|\bhalf made\b`, `"must not kill a half-started gateway"`},
	{`\bwhat became of single\b`, `"the outcome of individual requests"`},
	{`\bis not disturbed\b`, `"is left to finish"`},
	{`\bto its grave\b`, `"a dying server may have answered others after it received this one"`},
	{`\bends to be good\b`, `"until when it is valid"`},
	{`\bfor who does not see\b`, `"alternative text"`},
	{`\bwho knows? the token\b`, `"callers with the token"`},
	{`\bno guessing of types\b`, `"no sniffing, framing or caching"`},
	{`\bin force\b`, `"in use", "current"`},
	{`\b(looked at|looks at|waits|waited|read|used|known|sent|there|has|have|had|is|are|configured|listed|valid|answered|empty) any more\b`, `"no longer", "nothing more"`},
	{`\bnothing is [a-z ]+ any more\b`, `"nothing more is read"`},
	{`\bwhom\b`, `"who is told", a plainer sentence`},
	{`\bbe(ing)? to be had\b|\bis to be had\b`, `"is available"`},
}

// notOld are sentences in which such a phrase is plain English: "is no longer", "there is
// no server".
var notOld = regexp.MustCompile(`(?i)\b(is|are) no (longer|more|such|other|further|one|matter)\b|\b(there|here|that|which|where|if|while|once|who|and|it) (is|are) no\b`)

// Documents that say what is wrong with old words, or quote programs that others wrote.
var quotesOldWords = []string{"CHANGELOG.md"}

// No message that people see, no comment and no document has an old phrase.
func TestWords(t *testing.T) {
	check := func(path string, line int, text string) {
		for _, found := range findOldWords(text) {
			t.Errorf("%s:%d: %q: write %s", path, line+strings.Count(text[:found.at], "\n"), found.text, found.instead)
		}
	}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "testdata" || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || slices.Contains(quotesOldWords, path):
			return nil
		case strings.HasSuffix(path, ".go"):
			return textsIn(path, check)
		case isDocument(path):
			text, err := os.ReadFile(path)
			check(path, 1, commentMarks.ReplaceAllString(string(text), "\n"))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var commentMarks = regexp.MustCompile(`\n[ \t]*(#|//) ?`)

// oldWord is an old phrase that was found.
type oldWord struct {
	at            int
	text, instead string
}

// findOldWords returns the old phrases of a text.
func findOldWords(text string) (all []oldWord) {
	for i, w := range oldWords {
		for _, at := range oldForms[i].FindAllStringIndex(text, -1) {
			around := text[max(0, at[0]-12):min(len(text), at[1]+12)]
			if !notOld.MatchString(strings.Join(strings.Fields(around), " ")) {
				all = append(all, oldWord{at[0], text[at[0]:at[1]], w.instead})
			}
		}
	}
	return all
}

// oldForms are the compiled oldWords.
var oldForms = func() (all []*regexp.Regexp) {
	for _, w := range oldWords {
		all = append(all, regexp.MustCompile(`(?i)`+strings.ReplaceAll(w.old, " ", `\s+`)))
	}
	return all
}()

// isDocument reports whether people read the file as prose.
func isDocument(path string) bool {
	switch filepath.Ext(path) {
	case ".md", ".toml", ".yml", ".yaml", ".service", ".html", ".txt", ".1", ".8", ".rules", ".conf", ".sh", "":
	default:
		return false
	}
	top, _, _ := strings.Cut(filepath.ToSlash(path), "/")
	return !strings.Contains(path, "/") && strings.HasSuffix(path, ".md") || path == "config.example.toml" ||
		top == "docs" || top == "docker" || top == "packaging" || path == "web/page.html" || path == "bench/README.md"
}

// textsIn calls check with each comment of a Go file, and with each string of one that is
// not a test, but those of imports and tags.
func textsIn(path string, check func(path string, line int, text string)) error {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, group := range f.Comments {
		check(path, files.Position(group.Pos()).Line, group.Text())
	}
	if strings.HasSuffix(path, "_test.go") {
		return nil
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			n.Tag = nil
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				check(path, files.Position(n.Pos()).Line, text)
			}
		}
		return true
	})
	return nil
}

// An old phrase is found, and the same words in plain English are not.
func TestOldWordsAreFound(t *testing.T) {
	for text, want := range map[string]bool{
		"expected 3, came 4": true, "this name stands here\ntwice": true, "the file is no CA": true, "no room for it": true,
		"two names, case apart": true, "the certificate ran out on Monday": true, "used wrongly": true, "the one in force": true,
		"it is not looked at any more": true, "asks whom it serves": true, "left_out=3": true, "nothing is sent any more": true,
		"expected 3, got 4": false, "it is no longer valid": false, "there is no CA": false, "where there are no servers": false,
		"it forces a roomy answer": false, "the first that is no more": false,
	} {
		if got := len(findOldWords(text)) > 0; got != want {
			t.Errorf("%q: found an old phrase: %v, expected %v", text, got, want)
		}
	}
}
