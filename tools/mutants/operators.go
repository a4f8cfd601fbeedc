package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// visit makes the mutants of one node and reports whether to go on below it.
func (s *scanner) visit(n ast.Node) bool {
	if e, ok := n.(ast.Expr); ok {
		tv := s.src.info.Types[e]
		switch {
		case tv.IsType():
			return false
		case tv.Value != nil:
			s.constant(e)
			return false
		}
	}
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Tok == token.VAR
	case *ast.FuncDecl:
		s.closeFunction(n.Type, n.Body)
	case *ast.FuncLit:
		s.closeFunction(n.Type, n.Body)
	case *ast.FieldList, *ast.TypeSpec:
		return false
	case *ast.BlockStmt:
		s.statements(n.List)
	case *ast.CaseClause:
		s.clause(n, n.Colon, n.Body)
		s.statements(n.Body)
	case *ast.CommClause:
		s.clause(n, n.Colon, n.Body)
		s.statements(n.Body)
	case *ast.IfStmt:
		s.condition(n.Cond)
	case *ast.ForStmt:
		s.condition(n.Cond)
	case *ast.ReturnStmt:
		s.returns(n)
	case *ast.BinaryExpr:
		s.binary(n)
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			s.condition(n.X)
		}
	case *ast.CallExpr:
		return s.arguments(n)
	case *ast.KeyValueExpr:
		return s.keyValue(n)
	case *ast.AssignStmt:
		s.opAssign(n)
	}
	return true
}

// arguments skips panics, and the capacities given to make.
func (s *scanner) arguments(n *ast.CallExpr) bool {
	name, ok := n.Fun.(*ast.Ident)
	if !ok {
		return true
	}
	if _, ok := s.src.info.Uses[name].(*types.Builtin); !ok {
		return true
	}
	switch name.Name {
	case "panic":
		return false
	case "make":
		_, isMap := s.src.info.TypeOf(n).Underlying().(*types.Map)
		if len(n.Args) > 1 && !isMap {
			if len(n.Args) == 3 && s.text(n.Args[1]) == "0" {
				return false
			}
			s.walk(n.Args[1])
		}
		return false
	}
	return true
}

// keyValue goes below the value only: the keys of arrays are constants.
func (s *scanner) keyValue(n *ast.KeyValueExpr) bool {
	s.walk(n.Value)
	return false
}

// closeFunction gives a function that returns something an end: with all the
// mutants in it, the compiler may see a way to where there was none.
func (s *scanner) closeFunction(t *ast.FuncType, body *ast.BlockStmt) {
	if t.Results == nil || len(body.List) == 0 {
		return
	}
	if _, ok := body.List[len(body.List)-1].(*ast.ReturnStmt); !ok {
		s.insert(s.offset(body.Rbrace), `; panic("mutants: end of the function")`, true)
	}
}

// constant makes an integer one more and one less, and a string that is
// returned empty (see returns).
func (s *scanner) constant(e ast.Expr) {
	tv := s.src.info.Types[e]
	basic, ok := tv.Type.Underlying().(*types.Basic)
	if !ok || basic.Info()&types.IsInteger == 0 || basic.Info()&types.IsUntyped != 0 || !s.literal(e) || s.meaningless(e) {
		return
	}
	name, ok := s.typeName(tv.Type)
	if !ok || name == "time.Duration" {
		return
	}
	more, less := s.text(e)+" + 1", s.text(e)+" - 1"
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.INT && !strings.HasPrefix(lit.Value, "0x") {
		one := constant.MakeInt64(1)
		more = constant.BinaryOp(tv.Value, token.ADD, one).ExactString()
		less = constant.BinaryOp(tv.Value, token.SUB, one).ExactString()
	}
	if s.idleBound(e) {
		s.call(e, "Less["+name+"]", s.add("constant", -1, e.Pos(), e.End(), less))
		return
	}
	id := s.add("constant", -1, e.Pos(), e.End(), more)
	s.add("constant", id, e.Pos(), e.End(), less)
	s.call(e, "Int["+name+"]", id)
}

// idleBound reports whether a constant is the end of a slice that copy writes to,
// or that becomes an array: one more changes nothing there.
func (s *scanner) idleBound(e ast.Expr) bool {
	slice, ok := s.parent(1).(*ast.SliceExpr)
	if !ok || slice.High != e {
		return false
	}
	call, ok := s.parent(2).(*ast.CallExpr)
	if !ok || len(call.Args) == 0 || call.Args[0] != slice {
		return false
	}
	name, _ := call.Fun.(*ast.Ident)
	return name != nil && name.Name == "copy" || s.src.info.Types[call.Fun].IsType()
}

// literal reports whether a constant expression has a number in it, or is a name
// used as an index or a bound, or in arithmetic. Other names are codes and kinds,
// of which one more means nothing.
func (s *scanner) literal(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.INT {
			found = true
		}
		return true
	})
	switch p := s.parent(1).(type) {
	case *ast.SliceExpr:
		return true
	case *ast.IndexExpr:
		_, isMap := s.src.info.TypeOf(p.X).Underlying().(*types.Map)
		return found || !isMap
	case *ast.BinaryExpr:
		return found || p.Op == token.ADD || p.Op == token.SUB
	}
	return found
}

// typeName returns how a type is written in this file; not ok when it cannot be.
func (s *scanner) typeName(t types.Type) (name string, ok bool) {
	ok = true
	name = types.TypeString(t, func(p *types.Package) string {
		if p.Path() == s.src.pkg.ImportPath {
			return ""
		}
		for _, im := range s.src.file.Imports {
			if im.Path.Value != fmt.Sprintf("%q", p.Path()) {
				continue
			}
			if im.Name != nil {
				return im.Name.Name
			}
			return p.Name()
		}
		ok = false
		return "?"
	})
	return name, ok && !strings.Contains(name, "untyped")
}

// isBool reports whether e is of the type bool itself.
func (s *scanner) isBool(e ast.Expr) bool {
	t := s.src.info.TypeOf(e)
	return t != nil && types.Identical(types.Default(t), types.Typ[types.Bool])
}

// condition negates a condition that is neither a comparison nor composed.
func (s *scanner) condition(e ast.Expr) {
	switch inner := ast.Unparen(e).(type) {
	case nil:
		return
	case *ast.BinaryExpr:
		return
	case *ast.UnaryExpr:
		if inner.Op == token.NOT {
			return
		}
	}
	if e == nil || !s.isBool(e) || s.src.info.Types[e].Value != nil {
		return
	}
	s.stack = append(s.stack, e)
	id := s.add("negate", -1, e.Pos(), e.End(), "!"+s.text(e))
	s.stack = s.stack[:len(s.stack)-1]
	s.call(e, "Not", id)
}

// operation is what becomes of a binary operator.
type operation struct{ operator, function, becomes string }

var operations = map[token.Token]operation{
	token.ADD: {"arithmetic", "Add", "-"}, token.SUB: {"arithmetic", "Sub", "+"},
	token.MUL: {"arithmetic", "Mul", "/"}, token.QUO: {"arithmetic", "Quo", "*"}, token.REM: {"arithmetic", "Rem", "*"},
	token.AND: {"bits", "And", "|"}, token.OR: {"bits", "Or", "&"},
	token.XOR: {"bits", "Xor", "|"}, token.AND_NOT: {"bits", "AndNot", "|"},
	token.SHL: {"bits", "Shl", ">>"}, token.SHR: {"bits", "Shr", "<<"},
}

var assignments = map[token.Token]token.Token{
	token.ADD_ASSIGN: token.ADD, token.SUB_ASSIGN: token.SUB, token.MUL_ASSIGN: token.MUL, token.QUO_ASSIGN: token.QUO,
	token.REM_ASSIGN: token.REM, token.AND_ASSIGN: token.AND, token.OR_ASSIGN: token.OR, token.XOR_ASSIGN: token.XOR,
	token.AND_NOT_ASSIGN: token.AND_NOT, token.SHL_ASSIGN: token.SHL, token.SHR_ASSIGN: token.SHR,
}

// comparisons are: the function, what the boundary becomes, what the negation is.
var comparisons = map[token.Token][3]string{
	token.LSS: {"Lss", "<=", ">="}, token.LEQ: {"Leq", "<", ">"},
	token.GTR: {"Gtr", ">=", "<="}, token.GEQ: {"Geq", ">", "<"},
}

func (s *scanner) binary(n *ast.BinaryExpr) {
	end := n.OpPos + token.Pos(len(n.Op.String()))
	switch n.Op {
	case token.LAND, token.LOR:
		s.logic(n, end)
	case token.EQL, token.NEQ:
		if s.isBool(n) {
			becomes := map[token.Token]string{token.EQL: "!=", token.NEQ: "=="}[n.Op]
			s.call(n, "Not", s.add("negate", -1, n.OpPos, end, becomes))
		}
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		if c := comparisons[n.Op]; s.isBool(n) {
			id := s.add("boundary", -1, n.OpPos, end, c[1])
			s.add("negate", id, n.OpPos, end, c[2])
			s.call(n, c[0], id)
			s.replace(n.OpPos, len(n.Op.String()), ",")
		}
	default:
		s.arithmetic(n, end)
	}
}

// logic turns && into || and back with the same short cut: of two operands
// negated, and the whole negated, the other operator makes the same.
func (s *scanner) logic(n *ast.BinaryExpr, end token.Pos) {
	if !s.isBool(n.X) || !s.isBool(n.Y) {
		return
	}
	becomes := map[token.Token]string{token.LAND: "||", token.LOR: "&&"}[n.Op]
	id := s.add("logic", -1, n.OpPos, end, becomes)
	on := fmt.Sprintf("(%s.On(%d)) != (", schema, id)
	s.wrap(n, "("+on, "))")
	for _, operand := range []ast.Expr{n.X, n.Y} {
		s.wrap(operand, "("+on, "))")
		s.condition(operand)
	}
}

func (s *scanner) arithmetic(n *ast.BinaryExpr, end token.Pos) {
	op, ok := operations[n.Op]
	if !ok || !s.numeric(n) || !s.operands(n.X, n.Y, n.Op) {
		return
	}
	s.call(n, op.function, s.add(op.operator, -1, n.OpPos, end, op.becomes))
	s.replace(n.OpPos, len(n.Op.String()), ",")
}

func (s *scanner) numeric(e ast.Expr) bool {
	basic, ok := s.src.info.TypeOf(e).Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsNumeric != 0 && basic.Info()&(types.IsComplex|types.IsUntyped) == 0
}

// operands reports whether the compiler can infer the type of an operation from
// its operands: not when the left one of a shift is a constant.
func (s *scanner) operands(x, y ast.Expr, op token.Token) bool {
	info := s.src.info.Types
	if op == token.SHL || op == token.SHR {
		return info[x].Value == nil
	}
	return info[x].Value == nil || info[y].Value == nil
}

// opAssign makes x += y to x = x + y with a mutant in it.
func (s *scanner) opAssign(n *ast.AssignStmt) {
	op, ok := assignments[n.Tok]
	if !ok || !s.numeric(n.Lhs[0]) || strings.Contains(s.text(n.Lhs[0]), "(") {
		return
	}
	o := operations[op]
	end := n.TokPos + token.Pos(len(n.Tok.String()))
	id := s.add(o.operator, -1, n.TokPos, end, o.becomes+"=")
	s.replace(n.TokPos, len(n.Tok.String()), "=")
	s.wrap(n.Rhs[0], fmt.Sprintf("%s.%s(%d, %s, ", schema, o.function, id, s.text(n.Lhs[0])), ")")
}
