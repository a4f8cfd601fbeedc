package main

import (
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// insertion is text that goes into a file to make its mutants switchable.
type insertion struct {
	at, drop int // offset; how many bytes it replaces
	text     string
	closes   bool // it ends something, and so goes before what begins at the same place
	order    int
}

// scanner collects the mutants of all files.
type scanner struct {
	project *project
	mutants []*mutant
	counts  map[string]int // of equal keys

	// of the file that is being read
	src        *source
	insertions []insertion
	stack      []ast.Node
	function   string
}

// schema is what the schema package is called in the changed files.
const schema = "mutantSchema_"

// scan finds the mutants of one file and returns it with all of them in it.
func (s *scanner) scan(src *source) []byte {
	s.src, s.insertions, s.stack = src, nil, nil
	first := len(s.mutants)
	for _, decl := range src.file.Decls {
		s.declaration(decl)
	}
	if len(s.mutants) == first {
		return src.text
	}
	s.insert(s.offset(src.file.Name.End()), fmt.Sprintf("; import %s %q", schema, module+"/mutantschema"), true)
	return apply(src.text, s.insertions)
}

func (s *scanner) declaration(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Body == nil || d.Recv != nil && (name == "String" || name == "GoString") {
			return
		}
		if d.Recv != nil {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		s.function = name
		s.walk(d)
	case *ast.GenDecl:
		if d.Tok != token.VAR {
			return
		}
		for _, spec := range d.Specs {
			spec := spec.(*ast.ValueSpec)
			s.function = spec.Names[0].Name
			s.walk(spec)
		}
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}

// walk visits n and everything below it, outer nodes first.
func (s *scanner) walk(n ast.Node) {
	depth := len(s.stack)
	ast.Inspect(n, func(n ast.Node) bool {
		if n == nil {
			s.stack = s.stack[:len(s.stack)-1]
			return true
		}
		s.stack = append(s.stack, n)
		if !s.visit(n) {
			s.stack = s.stack[:len(s.stack)-1]
			return false
		}
		return true
	})
	s.stack = s.stack[:depth]
}

// parent returns the node around the one that is visited, 1 for its parent.
func (s *scanner) parent(n int) ast.Node {
	if i := len(s.stack) - 1 - n; i >= 0 {
		return s.stack[i]
	}
	return nil
}

func (s *scanner) offset(p token.Pos) int { return s.project.fset.Position(p).Offset }

func (s *scanner) text(n ast.Node) string {
	return string(s.src.text[s.offset(n.Pos()):s.offset(n.End())])
}

func (s *scanner) insert(at int, text string, closes bool) {
	s.insertions = append(s.insertions, insertion{at: at, text: text, closes: closes, order: len(s.insertions)})
}

// wrap puts text around a node.
func (s *scanner) wrap(n ast.Node, before, after string) {
	s.insert(s.offset(n.Pos()), before, false)
	s.insert(s.offset(n.End()), after, true)
}

// call makes a node the last argument of a call of the schema.
func (s *scanner) call(n ast.Node, function string, id int) {
	s.wrap(n, fmt.Sprintf("%s.%s(%d, ", schema, function, id), ")")
}

// replace puts text in place of bytes, an operator's for example.
func (s *scanner) replace(pos token.Pos, drop int, text string) {
	s.insertions = append(s.insertions, insertion{at: s.offset(pos), drop: drop, text: text, order: len(s.insertions)})
}

// apply makes the insertions. Of those at one place, what ends comes before what
// begins, the inner before the outer; of those that begin, the outer comes first.
func apply(text []byte, insertions []insertion) []byte {
	slices.SortFunc(insertions, func(a, b insertion) int {
		switch {
		case a.at != b.at:
			return a.at - b.at
		case a.closes != b.closes:
			if a.closes {
				return -1
			}
			return 1
		case a.closes:
			return b.order - a.order
		}
		return a.order - b.order
	})
	var out []byte
	at := 0
	for _, in := range insertions {
		out = append(out, text[at:in.at]...)
		out = append(out, in.text...)
		at = in.at + in.drop
	}
	return append(out, text[at:]...)
}

// add makes a mutant that replaces the source from start to end and returns its
// number. site is -1 for the first mutant at a place.
func (s *scanner) add(operator string, site int, start, end token.Pos, with string) int {
	m := &mutant{id: len(s.mutants), site: site, src: s.src, with: with}
	if site < 0 {
		m.site = m.id
	}
	m.start, m.end = s.offset(start), s.offset(end)
	if m.start > 0 && s.src.text[m.start-1] == '!' && strings.HasPrefix(with, "!") {
		m.start, m.with = m.start-1, with[1:]
	}
	m.line = s.project.fset.Position(start).Line
	m.from, m.to = s.context(m.start, m.end)
	before, after := short(m.before()), short(m.after())
	if operator == "case" { // the whole body would make a long key
		m.from, m.to = s.offset(s.stack[len(s.stack)-1].Pos()), m.end
		before = short(string(s.src.text[m.from:m.start]))
		after = before + " nothing"
	}
	m.key = fmt.Sprintf("%s %s [%s] %s -> %s", s.src.path, s.function, operator, before, after)
	s.counts[m.key]++
	if n := s.counts[m.key]; n > 1 {
		m.key = fmt.Sprintf("%s #%d", m.key, n)
	}
	s.mutants = append(s.mutants, m)
	return m.id
}

// most is how much of the source a key shows.
const most = 150

// context returns the start and the end of the statement or the condition around a change;
// its lines when that is too long.
func (s *scanner) context(start, end int) (from, to int) {
	for i := len(s.stack) - 1; i >= 0; i-- {
		n := s.stack[i]
		if !s.whole(n, i) {
			continue
		}
		from, to = s.offset(n.Pos()), s.offset(n.End())
		if to-from > most && (start > from || end < to) {
			break
		}
		return from, to
	}
	for from = start; from > 0 && s.src.text[from-1] != '\n'; from-- {
	}
	for from < start && (s.src.text[from] == '\t' || s.src.text[from] == ' ') {
		from++
	}
	for to = end; to < len(s.src.text) && s.src.text[to] != '\n'; to++ {
	}
	return from, to
}

// whole reports whether n, at s.stack[i], is shown as one: a simple statement, or
// the condition of an if, a for or a case.
func (s *scanner) whole(n ast.Node, i int) bool {
	switch n.(type) {
	case *ast.ExprStmt, *ast.AssignStmt, *ast.ReturnStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt,
		*ast.GoStmt, *ast.DeclStmt, *ast.BranchStmt, *ast.ValueSpec, *ast.CaseClause, *ast.CommClause:
		return true
	}
	if i == 0 {
		return false
	}
	switch p := s.stack[i-1].(type) {
	case *ast.IfStmt:
		return n == p.Cond
	case *ast.ForStmt:
		return n == p.Cond
	case *ast.SwitchStmt:
		return n == p.Tag
	case *ast.RangeStmt:
		return n == p.X
	case *ast.CaseClause:
		_, ok := n.(ast.Expr)
		return ok
	}
	return false
}

// short returns source text on one line, its middle omitted when it is long.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return "nothing"
	}
	if len(text) <= most {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	cut := most / 2
	return strings.ToValidUTF8(fmt.Sprintf("%s … %x … %s", text[:cut], sum[:3], text[len(text)-cut/2:]), "")
}
