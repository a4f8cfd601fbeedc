package metrics

import (
	"fmt"
	"strings"
	"testing"
)

// Of the states that a port has been in one is 1, and server_up is 1 in the state up only.
func TestStatesAreShown(t *testing.T) {
	m, _, s := filled(t)
	was := map[State]bool{}
	for is := range NumStates {
		s.SetState(is)
		was[is] = true
		up := 0
		if is == StateUp {
			up = 1
		}
		expect(t, m, fmt.Sprintf(`radsec_gw_server_up{port="auth",server="freeradius-a"} %d`, up))
		for state := range was {
			n := 0
			if state == is {
				n = 1
			}
			expect(t, m, fmt.Sprintf(`radsec_gw_server_state{port="auth",server="freeradius-a",state="%v"} %d`, state, n))
		}
		if n := strings.Count(scrape(t, m), "radsec_gw_server_state{"); n != len(was) {
			t.Errorf("%v: got %d series of states, expected %d", is, n, len(was))
		}
	}
}
