package wire

import "testing"

func TestCodeName(t *testing.T) {
	for want, got := range map[string]string{"Protocol-Error": CodeName(52), "Access-Accept": CodeName(2)} {
		if want != got {
			t.Errorf("expected the name %s, got %s", want, got)
		}
	}
}
