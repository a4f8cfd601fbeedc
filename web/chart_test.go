package web

import "testing"

// Numbers of bytes are in the largest unit of which there is at least one.
func TestFormatBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 1 << 20: "1 MiB", 300 << 20: "300 MiB", 1 << 30: "1 GiB", 1 << 40: "1 TiB", 5000 << 40: "5000 TiB"} {
		if got := formatBytes(n); got != want {
			t.Errorf("%d bytes: got %q, expected %q", n, got, want)
		}
	}
}
