package spool

import (
	"os"
	"path/filepath"
	"testing"
)

// Neither damage nor a directory in use leaves files open.
//
// Rules: SP9, SP13
func TestNoFilesStayOpen(t *testing.T) {
	open := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	from, _, _ := database(t, 40, 1)
	text := usedPart(t, from)
	before := open()
	for _, size := range []int{0, 1, pageSize, len(text) - pageSize} {
		directory := cutOff(t, text[:size])
		for range 2 {
			st, err := openFileStore(directory, quiet)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := openFileStore(directory, quiet); err == nil {
				t.Error("expected an error of a second store in the directory")
			}
			if err := os.Truncate(filepath.Join(directory, databaseName), 0); err != nil {
				t.Fatal(err)
			}
			st.commit([]addition{{1, text[:100]}}, nil)
			st.close()
		}
	}
	if after := open(); after > before {
		t.Errorf("expected no more open files than before, %d, got %d", before, after)
	}
}
