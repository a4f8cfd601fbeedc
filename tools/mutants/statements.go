package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
)

// statements makes the mutants of the statements of a block.
func (s *scanner) statements(list []ast.Stmt) {
	for _, stmt := range list {
		if l, ok := stmt.(*ast.LabeledStmt); ok {
			stmt = l.Stmt
		}
		s.stack = append(s.stack, stmt)
		switch st := stmt.(type) {
		case *ast.BranchStmt:
			s.branch(st)
		case *ast.IncDecStmt:
			s.remove(stmt)
			s.incDec(st)
		default:
			if removable(stmt, s.src.info) {
				s.remove(stmt)
			}
		}
		s.stack = s.stack[:len(s.stack)-1]
	}
}

// removable reports whether the code compiles without a statement, and does
// something else then.
func removable(stmt ast.Stmt, info *types.Info) bool {
	switch st := stmt.(type) {
	case *ast.ExprStmt:
		call, ok := ast.Unparen(st.X).(*ast.CallExpr)
		if !ok {
			return true // a receive
		}
		name, ok := call.Fun.(*ast.Ident)
		if !ok {
			return true
		}
		_, builtin := info.Uses[name].(*types.Builtin)
		return !builtin || name.Name != "panic"
	case *ast.AssignStmt:
		if st.Tok == token.DEFINE {
			return false
		}
		for _, l := range st.Lhs {
			if name, ok := l.(*ast.Ident); !ok || name.Name != "_" {
				return true
			}
		}
		return false
	case *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt:
		return true
	}
	return false
}

func (s *scanner) remove(stmt ast.Stmt) {
	id := s.add("remove", -1, stmt.Pos(), stmt.End(), "")
	s.wrap(stmt, fmt.Sprintf("if !%s.On(%d) { ", schema, id), " }")
}

// incDec turns x++ into x--.
func (s *scanner) incDec(st *ast.IncDecStmt) {
	name, ok := s.typeName(s.src.info.TypeOf(st.X))
	if !ok || !s.numeric(st.X) {
		return
	}
	function, becomes := "Add", "--"
	if st.Tok == token.DEC {
		function, becomes = "Sub", "++"
	}
	id := s.add("arithmetic", -1, st.TokPos, st.TokPos+2, becomes)
	s.replace(st.TokPos, 2, fmt.Sprintf(" = %s.%s(%d, %s, %s(1))", schema, function, id, s.text(st.X), name))
}

// branch turns break into continue and back, where both are possible.
func (s *scanner) branch(st *ast.BranchStmt) {
	becomes := map[token.Token]string{token.BREAK: "continue", token.CONTINUE: "break"}[st.Tok]
	if becomes == "" || st.Label == nil && !s.inLoop() || st.Label != nil && !s.labelsLoop(st.Label.Name) {
		return
	}
	end := st.Pos() + token.Pos(len(st.Tok.String()))
	id := s.add("loop", -1, st.Pos(), end, becomes)
	if st.Label != nil {
		becomes += " " + st.Label.Name
	}
	s.insert(s.offset(st.Pos()), fmt.Sprintf("if %s.On(%d) { %s }; ", schema, id, becomes), false)
}

// inLoop reports whether a loop of the same function is around the statement.
func (s *scanner) inLoop() bool {
	for i := len(s.stack) - 1; i >= 0; i-- {
		switch s.stack[i].(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return true
		case *ast.FuncLit, *ast.FuncDecl:
			return false
		}
	}
	return false
}

func (s *scanner) labelsLoop(label string) bool {
	for _, n := range s.stack {
		if l, ok := n.(*ast.LabeledStmt); ok && l.Label.Name == label {
			switch l.Stmt.(type) {
			case *ast.ForStmt, *ast.RangeStmt:
				return true
			}
		}
	}
	return false
}

// clause makes a case do nothing, unless its body is one statement that has a
// mutant like this of its own.
func (s *scanner) clause(n ast.Node, colon token.Pos, body []ast.Stmt) {
	if len(body) == 0 || len(body) == 1 && removable(body[0], s.src.info) {
		return
	}
	if b, ok := body[len(body)-1].(*ast.BranchStmt); ok && b.Tok == token.FALLTHROUGH {
		return
	}
	id := s.add("case", -1, body[0].Pos(), body[len(body)-1].End(), "")
	s.insert(s.offset(colon)+1, fmt.Sprintf(" if %s.On(%d) { break }; ", schema, id), true)
}

// returns makes each value that is returned zero, or the other of true and false.
func (s *scanner) returns(n *ast.ReturnStmt) {
	results := s.results()
	if results == nil || results.Len() != len(n.Results) {
		return
	}
	for i, e := range n.Results {
		s.result(e, results.At(i).Type())
	}
}

// meaningless reports whether a constant is returned beside an error, or beside
// false: callers do not look at it then.
func (s *scanner) meaningless(e ast.Expr) bool {
	var ret *ast.ReturnStmt
	for i := range 2 { // the statement itself when its values are visited from it
		if r, ok := s.parent(i).(*ast.ReturnStmt); ok {
			ret = r
		}
	}
	if ret == nil {
		return false
	}
	last := ret.Results[len(ret.Results)-1]
	tv := s.src.info.Types[last]
	isError := types.Identical(tv.Type, types.Universe.Lookup("error").Type()) || types.Implements(tv.Type, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
	return last != e && (isError && !tv.IsNil() || s.text(last) == "false")
}

// results returns what the function around the statement returns.
func (s *scanner) results() *types.Tuple {
	for i := len(s.stack) - 1; i >= 0; i-- {
		switch f := s.stack[i].(type) {
		case *ast.FuncLit:
			return s.src.info.TypeOf(f).(*types.Signature).Results()
		case *ast.FuncDecl:
			return s.src.info.Defs[f.Name].Type().(*types.Signature).Results()
		}
	}
	return nil
}

func (s *scanner) result(e ast.Expr, t types.Type) {
	tv := s.src.info.Types[e]
	name, ok := s.typeName(t)
	if !ok || tv.IsNil() || tv.Value != nil && s.meaningless(e) {
		return
	}
	if tv.Value != nil {
		switch text := s.text(e); {
		case name == "bool" && text == "true":
			s.call(e, "Not[bool]", s.add("return", -1, e.Pos(), e.End(), "false"))
		case name == "bool" && text == "false":
			s.call(e, "Not[bool]", s.add("return", -1, e.Pos(), e.End(), "true"))
		case name == "string" && text != `""`:
			s.call(e, "Zero[string]", s.add("return", -1, e.Pos(), e.End(), `""`))
		}
		return
	}
	if s.isBool(e) {
		s.condition(e)
		return
	}
	if lit, ok := e.(*ast.CompositeLit); ok && len(lit.Elts) == 0 {
		return
	}
	s.call(e, "Zero["+name+"]", s.add("return", -1, e.Pos(), e.End(), zero(t, name)))
}

// zero returns how the zero value of a type is written.
func zero(t types.Type, name string) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return `""`
		case u.Info()&types.IsBoolean != 0:
			return "false"
		}
		return "0"
	case *types.Struct, *types.Array:
		return name + "{}"
	}
	return "nil"
}
