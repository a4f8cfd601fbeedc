package logs

// Kind is what a line is about.
type Kind uint8

// The kinds.
const (
	KindEvent   Kind = iota // a message of the program, through slog
	KindRequest             // how one request ended
	KindFTicks              // a federation's statistics
	KindDebug               // a step on the way of one request
	NumKinds    = iota
)

// String returns the label value of metrics.
func (k Kind) String() string { return [NumKinds]string{"event", "request", "fticks", "debug"}[k] }

// Reason is why a line was lost.
type Reason uint8

// The reasons.
const (
	QueueFull   Reason = iota // lines were not written fast enough
	WriteFailed               // its reader is gone, or the process ended first
	NumReasons  = iota
)

// String returns the label value of metrics.
func (r Reason) String() string { return [NumReasons]string{"queue_full", "write_failed"}[r] }

// Losses counts lines that were lost.
type Losses [NumKinds][NumReasons]uint64

// total returns the number of lines.
func (l *Losses) total() (n uint64) {
	for _, reasons := range l {
		for _, lost := range reasons {
			n += lost
		}
	}
	return n
}

// minus returns what l has more than before.
func (l *Losses) minus(before *Losses) (more Losses) {
	for k := range l {
		for r := range l[k] {
			more[k][r] = l[k][r] - before[k][r]
		}
	}
	return more
}
