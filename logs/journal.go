package logs

import "bytes"

// The priorities of syslog(3) that systemd reads from the beginning of a line
// (sd-daemon(3), SyslogLevelPrefix= of systemd.exec(5)).
const (
	priorityError   = "<3>"
	priorityWarning = "<4>"
	priorityInfo    = "<6>"
	priorityDebug   = "<7>"
)

// priorityOf returns the priority of a line by its level, which follows the time in both
// forms of the log. A line without a level has that of information.
func priorityOf(line []byte) string {
	head := line[:min(len(line), 80)]
	i := bytes.Index(head, []byte("level"))
	if i < 0 {
		return priorityInfo
	}
	switch level := bytes.TrimLeft(head[i+len("level"):], `=":`); {
	case bytes.HasPrefix(level, []byte("DEBUG")):
		return priorityDebug
	case bytes.HasPrefix(level, []byte("WARN")):
		return priorityWarning
	case bytes.HasPrefix(level, []byte("ERROR")):
		return priorityError
	}
	return priorityInfo
}

// WithPriorities returns a text of whole lines with the priority of an error before each,
// for what is written before there is a Log.
func WithPriorities(text string) string {
	var b []byte
	for line := range bytes.Lines([]byte(text)) {
		b = append(append(b, priorityError...), line...)
	}
	return string(b)
}
