//go:build !unix

package logs

// ObeySignals does nothing: this system has no SIGUSR1 and SIGUSR2.
func (l *Log) ObeySignals() (end func()) { return func() {} }

// SurviveBrokenPipe does nothing: this system has no SIGPIPE.
func SurviveBrokenPipe() {}
