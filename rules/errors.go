package rules

import "fmt"

// ValueError is returned when a rule would write a value that its attribute cannot have.
//
// Rule: AR7.
type ValueError struct {
	Rule, Attribute string
	Octets, Most    int // of the value, and the most that it may have
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("rule %q: %s: expected a value of 1 to %d octets, got %d; change the rule's pattern or value", e.Rule, e.Attribute, e.Most, e.Octets)
}

// RejectError is returned when a request has a value that a rule refuses.
type RejectError struct{ Rule, Attribute string }

func (e *RejectError) Error() string {
	return fmt.Sprintf("rule %q: the value of %s matches one of its reject patterns", e.Rule, e.Attribute)
}
