package logs

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// IsJournal reports whether w is connected to the journal of systemd. stream is the value
// of $JOURNAL_STREAM: the device and the inode of the journal's end (systemd.exec(5)). A
// program that was started by a service with its output elsewhere has the variable too, so
// these are compared.
func IsJournal(w io.Writer, stream string) bool {
	f, ok := w.(*os.File)
	if !ok || stream == "" {
		return false
	}
	var s syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &s); err != nil {
		return false
	}
	return stream == fmt.Sprintf("%d:%d", s.Dev, s.Ino)
}
