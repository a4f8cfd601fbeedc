package files

import "testing"

// Only a read-only file system in memory is one for secrets: /run, which every user sees, can be
// written.
func TestSecretMounts(t *testing.T) {
	for _, row := range []struct {
		kind  uint32
		flags int64
		want  bool
	}{{tmpfs, 0x1 | 0x2, true}, {ramfs, 0x1, true}, {tmpfs, 0x2, false}, {0xef53, 0x1, false}} {
		if got := isSecretMount(row.kind, row.flags); got != row.want {
			t.Errorf("type %x with flags %x: %v, want %v", row.kind, row.flags, got, row.want)
		}
	}
}
