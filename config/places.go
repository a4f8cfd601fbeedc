package config

import (
	"fmt"
	"strconv"
	"strings"
)

// places maps the paths of keys ("client[1].networks[0]", indexes from 0 over all files) to
// where they are.
type places struct {
	files []string         // in the order in which they count; nil for a Config built by hand
	of    map[string]place // by path
	first []map[string]int // for each file, by array of tables: the index of its first table
}

// place is a line, from 1, of a file, an index into places.files.
type place struct{ file, line int32 }

// at returns the place of path, or of the nearest thing around it that is in a file: a
// missing key is reported at its table's header. The line is 0 if nothing is.
func (p places) at(path string) place {
	for {
		if at, ok := p.of[path]; ok {
			return at
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return place{}
		}
		path = path[:cut]
	}
}

// mistake returns a mistake at a path.
func (p places) mistake(path, text string) Mistake {
	at := p.at(path)
	return Mistake{File: p.name(at), Line: int(at.line), Key: path, Text: text, order: int(at.file), shown: p.local(path, at)}
}

// name returns the name of a place's file.
func (p places) name(at place) string {
	if int(at.file) < len(p.files) {
		return p.files[at.file]
	}
	return ""
}

// local returns a path as the place's own file has it: indexes of tables count from the
// file's first one.
func (p places) local(path string, at place) string {
	if int(at.file) >= len(p.first) {
		return path
	}
	return shiftIndex(path, p.first[at.file], -1)
}

// where says where the key at path is, to somebody who looks at the key at from: "line 7",
// or "line 7 of conf.d/one.toml".
func (p places) where(path, from string) string {
	at := p.at(path)
	if at.file == p.at(from).file {
		return fmt.Sprintf("line %d", at.line)
	}
	return fmt.Sprintf("line %d of %s", at.line, p.name(at))
}

// shiftIndex adds sign*by[array] to the index of a path that begins with array[index].
func shiftIndex(path string, by map[string]int, sign int) string {
	open := strings.IndexByte(path, '[')
	if open < 0 || by[path[:open]] == 0 {
		return path
	}
	end := open + strings.IndexByte(path[open:], ']')
	n, err := strconv.Atoi(path[open+1 : max(open+1, end)])
	if err != nil {
		return path
	}
	return joinIndex(path[:open], n+sign*by[path[:open]]) + path[end+1:]
}
