package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every command has a text and an example, and a script runs each example, perhaps with
// further flags such as the address of its gateway. An absolute path may be one below the
// directory of the script, such as $WORK/etc/radsecproxy.conf.
//
// Fault O10.
func TestExamplesAreRun(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, c := range newProgram().Commands {
		if len(c.Examples) == 0 || c.Details == "" {
			t.Errorf("%s: expected a text and an example", c.Name)
		}
		for _, e := range c.Examples {
			line := strings.ReplaceAll(regexp.QuoteMeta(e.Line), " /", ` (\$WORK)?/`)
			if !regexp.MustCompile(`(?m)^(exec|exits 1|start \S+) (sh -c ')?` + line + `'?($|\s)`).MatchString(all.String()) {
				t.Errorf("%s: no script of testdata/script runs the example %q", c.Name, e.Line)
			}
		}
	}
}
