package documents

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/interop/testbed"
)

const (
	repository = "../.."
	// patience is for one scene or build; one takes some seconds on a machine without other work.
	patience = 8 * time.Minute
)

// copied is a copy of the repository with the program that `make build` made, and nothing
// that git ignores. Read only after TestMain.
var copied string

// environment makes go run compile what make build has compiled.
var environment = []string{"CGO_ENABLED=0", "GOFLAGS=-trimpath"}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "radsec-gw-documents-")
		if err == nil {
			defer os.RemoveAll(dir)
			copied = filepath.Join(dir, "repository")
			err = prepare()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			return 1
		}
		return m.Run()
	}())
}

// prepare copies the repository and builds the program, with the network that modules may need.
func prepare() error {
	if err := testbed.NeedPrograms("freeradius", "unshare", "setpriv", "ip", "curl", "jq", "openssl", "make", "tar"); err != nil {
		return err
	}
	const script = `mkdir "$1" && tar -C "$0" --exclude=./.git --exclude=./dist --exclude=./radsec-gw --exclude=./certs/dev \
  --exclude=./radsec-gw.toml --exclude=./freeradius.secret -cf - . | tar -C "$1" -xf - && cd "$1" && make build`
	build := exec.Command("bash", "-c", script, repository, copied)
	build.Env = append(os.Environ(), environment...)
	if r := testbed.Run(patience, build); r.Status != 0 {
		return fmt.Errorf("make build: status %d:\n%s", r.Status, r.Output)
	}
	return nil
}

// The commands of each section do what the document says.
//
// Fault O10: the first evening ends with a login.
func TestScenes(t *testing.T) {
	all := allCommands(t)
	for _, s := range scenes() {
		t.Run(s.id(), func(t *testing.T) {
			t.Parallel()
			s.run(t, all)
		})
	}
}

// run runs the commands of all that s covers.
func (s scene) run(t *testing.T, all []command) {
	script, names := s.script(t, all)
	dir := t.TempDir()
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	env := append([]string{"SCENE=" + filepath.Join(dir, "scene"), "REPOSITORY=" + copied, "TESTDATA=" + testdata}, environment...)
	for _, name := range []string{"PATH", "HOME", "GOCACHE", "GOMODCACHE", "GOPATH"} {
		if value, is := os.LookupEnv(name); is {
			env = append(env, name+"="+value)
		}
	}
	args := append(append([]string{"env"}, env...), "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "bash", file)
	if os.Getuid() != 0 {
		args = append([]string{"sudo", "-n"}, args...)
	}
	if err := os.Mkdir(filepath.Join(dir, "scene"), 0o700); err != nil {
		t.Fatal(err)
	}
	r := testbed.Run(patience, exec.Command(args[0], args[1:]...))
	if r.Status != 0 || len(names) == 0 {
		t.Fatalf("status %d; the last lines:\n%s", r.Status, last(r.Output, 60))
	}
	s.compare(t, names, strings.Split(r.Output, "@@@")[1:])
}

// script returns the shell script of the scene, and the names of the commands that are in it.
func (s scene) script(t *testing.T, all []command) (script string, names []string) {
	var b strings.Builder
	b.WriteString(". \"$TESTDATA/scene.sh\"\n")
	if s.server != "" {
		b.WriteString(s.setUp(t, all))
	}
	step := func(name, text string) {
		fmt.Fprintf(&b, "begin %d\n%s\nend $?\n", len(names), text)
		names = append(names, name)
	}
	if s.before != "" {
		fmt.Fprintf(&b, "{ %s\n} || exit 1\n", s.before)
	}
	for _, c := range all {
		if !s.covers(c) {
			continue
		}
		text := c.text
		if pattern, is := s.endless[c.name()]; is {
			text = "endless " + quote(pattern) + " " + quote(c.name())
		}
		if pattern, is := s.background[c.name()]; is {
			text = strings.TrimSuffix(c.name(), "&") + ">\"$SCENE/out\" 2>&1 &\nbackground=$!\nawait grep " + quote(pattern) + " \"$SCENE/out\""
		}
		step(c.name(), text)
		if strings.HasSuffix(c.name(), "serve &") {
			b.WriteString("ready\n")
		}
	}
	for line := range strings.Lines(s.after) {
		step("after: "+line, line)
	}
	return b.String(), names
}

// setUp returns the lines of the first evening, up to the start of the gateway, which it starts
// with the scene's names.
func (s scene) setUp(t *testing.T, all []command) string {
	var b strings.Builder
	for _, c := range all {
		if c.document != "README.md" || c.heading != evening || c.name() == "make build" {
			continue
		}
		if c.name() == "./radsec-gw check" {
			fmt.Fprintf(&b, "sed -i 's/\"freeradius\"/\"%s\"/' radsec-gw.toml\nprintf '[metrics]\\n%%s\\n' %s >>radsec-gw.toml\n", s.server, quote(s.metrics))
			b.WriteString("radsec-gw serve >gateway.log 2>&1 &\ngateway=$!\nready\n")
			return b.String()
		}
		fmt.Fprintf(&b, "%s\nend $?\n", c.text)
	}
	t.Fatalf("README.md has no ./radsec-gw check under %q", evening)
	return ""
}

// compare fails the test where a command has not printed what it should.
func (s scene) compare(t *testing.T, names, outputs []string) {
	if len(outputs) != len(names) {
		t.Fatalf("expected %d commands to run, got %d", len(names), len(outputs))
	}
	expected := map[string]bool{}
	for i, name := range names {
		want, is := s.prints[name]
		expected[name] = true
		if !is && strings.HasPrefix(name, "curl ") {
			t.Errorf("%s succeeds with any answer: expected an entry of prints", name)
		}
		if !strings.Contains(outputs[i], want) {
			t.Errorf("%s: expected it to print %q, got\n%s", name, want, outputs[i])
		}
	}
	for name := range s.prints {
		if !expected[name] {
			t.Errorf("prints: there is no command %q", name)
		}
	}
	for name := range s.background {
		if !expected[name] {
			t.Errorf("background: there is no command %q", name)
		}
	}
	for name := range s.endless {
		if !expected[name] {
			t.Errorf("endless: there is no command %q", name)
		}
	}
}

// quote quotes text for a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// last returns the last n lines.
func last(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
