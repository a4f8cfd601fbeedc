package config

import (
	"strings"
	"testing"
)

// Each table, key and element of an array is found at its line, and nothing is found in a
// string or a comment.
func TestLocate(t *testing.T) {
	// A line names between @ the paths that are found in it.
	const src = `# a comment with [brackets] and "quotes"   @@
title = "x" # @title@
[listen] # @listen@
address = [ # @listen.address@
  "a", # @listen.address[0]@
  # "not this one",

  'b]', "c", # @listen.address[1] listen.address[2]@
]
crl = [] # @listen.crl@
text = """
[client]
name = 1
"quoted" \""" still """ # @@
after = 1 # @listen.after@
raw = '''
[[client]]
it''s''' # @@
dotted . key = 2 # @listen.dotted listen.dotted.key@
"a b"."c" = 3 # @listen."a b" listen."a b".c@

[[client]] # @client client[0]@
name = "one" # @client[0].name@
day = 1979-05-27 07:32:00 # @client[0].day@
networks = [["x"], [ # @client[0].networks[0][0] client[0].networks[1]@
  1.5, true]] # @client[0].networks[1][0] client[0].networks[1][1]@
[[ client ]] # @client[1]@
inline = { a = 1, b = [ 1, # @client[1].inline.a client[1].inline.b[0]@
   2 ] } # @client[1].inline.b[1]@
[client.sub] # @client[1].sub@
x = 1 # @client[1].sub.x@
[[client.list]] # @client[1].list[0]@
[[client.list]] # @client[1].list[1]@
y = 2 # @client[1].list[1].y@
route = [{ a = 1 }, { # @client[1].list[1].route[0].a@
  a = 2 }] # @client[1].list[1].route[1].a@
last = "\\" # @client[1].list[1].last@
end = 1 # @client[1].list[1].end@`
	found := locate(src)
	for i, line := range strings.Split(src, "\n") {
		parts := strings.Split(line, "@")
		if len(parts) < 3 {
			continue
		}
		rest := parts[1]
		for rest != "" {
			path := cutPath(&rest)
			if found[path] != i+1 {
				t.Errorf("%s: expected line %d, got %d: %s", path, i+1, found[path], line)
			}
		}
	}
	for path := range found {
		if strings.Contains(path, "quoted") || strings.Contains(path, "not this") {
			t.Errorf("%s is inside a string or a comment, but was found", path)
		}
	}
}

// cutPath removes the first path from a list separated by blanks, and returns it. A blank
// in quotes does not separate.
func cutPath(list *string) string {
	quoted := false
	for i, c := range *list {
		if c == '"' {
			quoted = !quoted
		}
		if c == ' ' && !quoted {
			path := (*list)[:i]
			*list = (*list)[i+1:]
			return path
		}
	}
	path := *list
	*list = ""
	return path
}

// A path that the file does not have is at the line of the nearest table or list around it.
func TestLineOfAMissingPath(t *testing.T) {
	p := locate("\n[[server]]\nname = 'a'\n[[server]]\nports = [1]\n")
	for path, want := range map[string]int{
		"server[0].secret": 2, "server[1].secret": 4, "server[1].ports[7]": 5, "server": 2, "client[0].name": 0, "": 0,
	} {
		if got := p.line(path); got != want {
			t.Errorf("line(%q) = %d, expected %d", path, got, want)
		}
	}
}

// locate returns for any input, with lines of the input and with paths of a bounded length.
func FuzzLocate(f *testing.F) {
	f.Add("[a]\nb = [1, {c = 2}]\n")
	f.Add("[[[[")
	f.Add(`a = """\`)
	f.Add("a = " + strings.Repeat("[", 3000))
	f.Fuzz(func(t *testing.T, src string) {
		lines := strings.Count(src, "\n") + 1
		for path, n := range locate(src) {
			if n < 1 || n > lines || len(path) > maxPath {
				t.Fatalf("%q is in line %d of %d", path, n, lines)
			}
		}
	})
}
