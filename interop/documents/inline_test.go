package documents

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"radsec-gw/interop/testbed"
)

// Commands within sentences and tables exist, and take the flags that they are given there:
// those of radsec-gw and of bench, with -h after them, and the targets of make.
func TestInlineCommands(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	makefile := string(text)
	bench := filepath.Join(t.TempDir(), "bench")
	build := exec.Command("go", "build", "-o", bench, "./bench")
	build.Dir, build.Env = copied, append(os.Environ(), environment...)
	if r := testbed.Run(patience, build); r.Status != 0 {
		t.Fatalf("bench: %s", r.Output)
	}
	programs := map[string]string{"radsec-gw": filepath.Join(copied, "radsec-gw"), "./radsec-gw": filepath.Join(copied, "radsec-gw"), "go run ./bench": bench}
	tried := 0
	for _, c := range inline(t) {
		if target, is := strings.CutPrefix(c.text, "make "); is {
			target, _, _ = strings.Cut(target, " ")
			if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(target) + `:`).MatchString(makefile) {
				t.Errorf("%s: %s: there is no such target in Makefile", c.document, c.text)
			}
			tried++
		}
		for prefix, program := range programs {
			args, is := strings.CutPrefix(c.text, prefix+" ")
			if !is || strings.Contains(args, "COMMAND") {
				continue
			}
			tried++
			args, _, _ = strings.Cut(strings.ReplaceAll(args, `\|`, "|"), " |") // a table's cell has \| for |
			r := testbed.Run(patience, exec.Command("sh", "-c", program+" "+args+" -h"))
			if r.Status != 0 || !strings.Contains(strings.ToLower(r.Output), "usage") {
				t.Errorf("%s: %s: with -h, expected status 0 and its usage, got %d:\n%s", c.document, c.text, r.Status, last(r.Output, 5))
			}
		}
	}
	if tried < 30 {
		t.Errorf("expected 30 commands or more, got %d", tried)
	}
}

// inline returns the text between backquotes outside of blocks, in all documents.
func inline(t *testing.T) (found []command) {
	t.Helper()
	quoted := regexp.MustCompile("`([^`\n]+)`")
	for _, path := range documents(t) {
		text, err := os.ReadFile(filepath.Join(repository, path))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quoted.FindAllStringSubmatch(blocks.ReplaceAllString(string(text), ""), -1) {
			found = append(found, command{document: path, text: m[1]})
		}
	}
	return found
}
