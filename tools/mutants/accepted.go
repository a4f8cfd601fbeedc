package main

import (
	"fmt"
	"os"
	"strings"
)

// entry is one accepted survivor, or with "-> *" at its end all of one operator
// at one place.
type entry struct {
	key, reason string
	line        int
}

// readAccepted reads the list of accepted survivors: a key each, and below it
// its reason in indented lines. Lines that begin with # are comments.
func readAccepted(file string) (map[string]*entry, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	entries := map[string]*entry{}
	var last *entry
	done := func() error {
		if last != nil && last.reason == "" {
			return fmt.Errorf("%s:%d: expected the reason below in an indented line", file, last.line)
		}
		return nil
	}
	for i, line := range strings.Split(string(text), "\n") {
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case line[0] == '\t' || line[0] == ' ':
			if last == nil {
				return nil, fmt.Errorf("%s:%d: expected a mutant's key before its reason", file, i+1)
			}
			last.reason = strings.TrimSpace(last.reason + " " + strings.TrimSpace(line))
		default:
			if err := done(); err != nil {
				return nil, err
			}
			if e := entries[line]; e != nil {
				return nil, fmt.Errorf("%s:%d: this mutant is already on line %d", file, i+1, e.line)
			}
			last = &entry{key: line, line: i + 1}
			entries[line] = last
		}
	}
	return entries, done()
}

// accepted returns the entry for a mutant, nil when there is none. exact is false
// for one that stands for several, of which some may be killed.
func accepted(entries map[string]*entry, m *mutant) (e *entry, exact bool) {
	if e := entries[m.key]; e != nil {
		return e, true
	}
	return entries[m.family()], false
}

// stale returns the entries whose mutant no longer exists; those of files that
// were not read are left alone.
func stale(entries map[string]*entry, mutants []*mutant, p *project) (gone []*entry) {
	exists, read := map[string]bool{}, map[string]bool{}
	for _, m := range mutants {
		exists[m.key], exists[m.family()] = true, true
	}
	for _, t := range p.targets {
		read[t.group] = true
	}
	for _, e := range entries {
		group, _, _ := strings.Cut(e.key, "/")
		if read[group] && !exists[e.key] {
			gone = append(gone, e)
		}
	}
	return gone
}
