package lanes

import "testing"

// The digest of the message before must fit into the one that follows: a mistake of
// the caller's must not write into another message.
func TestThenWithoutRoom(t *testing.T) {
	for at, panics := range map[int]bool{-1: true, 0: false, 4: false, 5: true, 20: true} {
		h := New(1, 1)
		h.Add(Initial(), 3)
		func() {
			defer func() {
				if (recover() != nil) != panics {
					t.Errorf("at %d of 20 octets: expected a panic: %t", at, panics)
				}
			}()
			h.Then(Initial(), 20, at)
		}()
	}
}
