package rules

import (
	"fmt"
	"regexp/syntax"
	"unicode/utf8"
)

// maxProgram is how many instructions a pattern may have. With 253 octets of text a match
// then takes at most 210 × 254 = 53,000 steps, which BenchmarkWorstMatch measures at less than
// 250 µs. A list of ten realms of 18 characters fits.
const maxProgram = 210

// maxGroups is how many groups a pattern may have, the whole match included.
const maxGroups = 10

// pattern is a compiled regular expression.
type pattern struct {
	prog  *syntax.Prog
	runes []runeSet // that each instruction takes
	names []string  // of the groups
}

// compilePattern compiles a pattern in RE2 syntax.
func compilePattern(text string) (*pattern, error) {
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("expected a regular expression in RE2 syntax: %w", err)
	}
	names := re.CapNames()
	if sizeOf(re) > 10*maxProgram { // before it is written out, which may take seconds
		return nil, fmt.Errorf("expected a regular expression of at most %d instructions, got far more; use fewer repetitions", maxProgram)
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, fmt.Errorf("expected a regular expression in RE2 syntax: %w", err)
	}
	if len(prog.Inst) > maxProgram || len(names) > maxGroups {
		return nil, fmt.Errorf("expected a regular expression of at most %d instructions and %d groups, got %d and %d; use fewer repetitions", maxProgram, maxGroups-1, len(prog.Inst), len(names)-1)
	}
	return &pattern{prog: prog, runes: runeSetsOf(prog), names: names}, nil
}

// runeSet has a bit for each character below 128, and one for an octet that is not UTF-8:
// to look one up takes the same time for every instruction, however many ranges it has.
type runeSet [3]uint64

const notUTF8 = utf8.RuneSelf // the bit

func (s *runeSet) has(bit byte) bool { return s[bit/64]&(1<<(bit%64)) != 0 }

func runeSetsOf(prog *syntax.Prog) []runeSet {
	sets := make([]runeSet, len(prog.Inst))
	for i := range prog.Inst {
		switch prog.Inst[i].Op {
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			for r := range rune(utf8.RuneSelf) {
				if prog.Inst[i].MatchRune(r) {
					sets[i][r/64] |= 1 << (r % 64)
				}
			}
			if prog.Inst[i].MatchRune(utf8.RuneError) {
				sets[i][notUTF8/64] |= 1 << (notUTF8 % 64)
			}
		}
	}
	return sets
}

// sizeOf returns about how many instructions an expression will have, at most a million.
func sizeOf(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	if re.Op == syntax.OpCharClass {
		n = 1
	}
	for _, sub := range re.Sub {
		n += sizeOf(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1_000_000)
}

// matcher is scratch for matching.
type matcher struct {
	visited [(maxProgram*(256) + 63) / 64]uint64
	jobs    []job
	groups  [2 * maxGroups]int // offsets of the last match; -1: not part of it
}

// job is a step that remains to be tried; with group below 0 that is to go on at pc and
// pos, otherwise to set groups[group] back to pos.
type job struct{ pc, pos, group int32 }

// match reports whether p matches b, which has at most 255 octets, and leaves the
// leftmost match's groups in m. Like package regexp's it prefers the first of
// alternatives. Each pair of instruction and position is tried once, which bounds the
// time.
func (m *matcher) match(p *pattern, b []byte) bool {
	used := (len(p.prog.Inst)*(len(b)+1) + 63) / 64
	clear(m.visited[:used])
	for i := range m.groups {
		m.groups[i] = -1
	}
	for start := 0; start <= len(b); {
		if m.matchAt(p, b, start) {
			m.groups[0] = start
			return true
		}
		_, n := utf8.DecodeRune(b[start:])
		start += max(n, 1)
	}
	return false
}

// matchAt is match at one position.
func (m *matcher) matchAt(p *pattern, b []byte, start int) bool {
	m.jobs = append(m.jobs[:0], job{int32(p.prog.Start), int32(start), -1})
	for len(m.jobs) > 0 {
		j := m.jobs[len(m.jobs)-1]
		m.jobs = m.jobs[:len(m.jobs)-1]
		if j.group >= 0 {
			m.groups[j.group] = int(j.pos)
			continue
		}
		if m.run(p, b, int(j.pc), int(j.pos)) {
			return true
		}
	}
	return false
}

// run follows one way through the program, and puts the others on the stack.
func (m *matcher) run(p *pattern, b []byte, pc, pos int) bool {
	for {
		bit := pc*(len(b)+1) + pos
		if m.visited[bit/64]&(1<<(bit%64)) != 0 {
			return false
		}
		m.visited[bit/64] |= 1 << (bit % 64)
		in := &p.prog.Inst[pc]
		switch in.Op {
		case syntax.InstMatch:
			m.groups[1] = pos
			return true
		case syntax.InstFail:
			return false
		case syntax.InstAlt, syntax.InstAltMatch:
			m.jobs = append(m.jobs, job{int32(in.Arg), int32(pos), -1})
		case syntax.InstCapture:
			if int(in.Arg) < len(m.groups) {
				m.jobs = append(m.jobs, job{0, int32(m.groups[in.Arg]), int32(in.Arg)})
				m.groups[in.Arg] = pos
			}
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^emptyAt(b, pos) != 0 {
				return false
			}
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if pos == len(b) {
				return false
			}
			n, bit := 1, b[pos]
			if bit >= utf8.RuneSelf {
				r := utf8.RuneError
				if r, n = utf8.DecodeRune(b[pos:]); r != utf8.RuneError && !in.MatchRune(r) {
					return false
				} else if r != utf8.RuneError {
					pos += n
					break
				}
				bit = notUTF8
			}
			if !p.runes[pc].has(bit) {
				return false
			}
			pos += n
		}
		pc = int(in.Out)
	}
}

// emptyAt returns which conditions on its surroundings hold at a position.
func emptyAt(b []byte, pos int) syntax.EmptyOp {
	before, after := rune(-1), rune(-1)
	if pos > 0 {
		before = rune(b[pos-1]) // octets above 127 are not part of words
	}
	if pos < len(b) {
		after = rune(b[pos])
	}
	return syntax.EmptyOpContext(before, after)
}
