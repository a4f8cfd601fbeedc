package rules

import "radsec-gw/wire"

// Program is one compiled rule. It is immutable and may be shared by goroutines.
type Program struct{}

// Compile compiles a rule, or returns what is wrong with it.
func Compile(r *Rule) (*Program, []Mistake) { return &Program{}, nil }

// Warnings returns what may be not what is meant.
func (p *Program) Warnings() []Mistake { return nil }

// Lines returns what the rule does, in order, a sentence a line.
func (p *Program) Lines() []string { return nil }

// Chain is the rules that packets pass, in order. A nil Chain changes nothing.
type Chain struct{}

// NewChain returns a chain of programs, nil for none.
func NewChain(programs ...*Program) *Chain {
	if len(programs) == 0 {
		return nil
	}
	return &Chain{}
}

// Applies reports whether a rule is for requests of this kind and their replies.
func (c *Chain) Applies(kind wire.Kind) bool { return false }

// ChangesUserName reports whether a rule may change the User-Name of requests.
func (c *Chain) ChangesUserName(kind wire.Kind) bool { return false }

// Apply returns the packet after the chain.
func (c *Chain) Apply(e *Editor, v *wire.View, kind wire.Kind, f *Facts, seal wire.Sealer) (*wire.View, error) {
	return v, nil
}

// StripFacts removes from a reply what rules gave the request.
func (c *Chain) StripFacts(e *Editor, reply *wire.View, kind wire.Kind, f *Facts) *wire.View {
	return reply
}

// ReplaceUserName gives a reply the client's own User-Name.
func ReplaceUserName(e *Editor, reply *wire.View, sent, own []byte) (*wire.View, error) {
	return reply, nil
}

// Editor is scratch for one goroutine.
type Editor struct{}

// NewEditor returns an Editor.
func NewEditor() *Editor { return &Editor{} }

// Preset is a rule that is part of the program.
type Preset struct{ Name, Summary string }

// Presets returns the presets.
func Presets() []Preset { return nil }
