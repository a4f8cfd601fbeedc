package twin

import "fmt"

// layout is a packet under construction. Hidden values are written with zeros for what
// is not known yet; finish reads the salts from their places in the gateway's packet,
// and hides.
type layout struct {
	b    []byte
	jobs []*job
}

// job is one value to be hidden.
type job struct {
	how    Method
	before int    // literal octets before tag or salt
	blocks []byte // to hide: whole blocks
	value  []byte // literal, tag, salt, zeros
	at     []int  // where each octet of value is in the packet
}

// newJob returns the job of hiding blocks by a method.
func newJob(how Method, literal []byte, tag byte, blocks []byte) *job {
	j := &job{how: how, before: len(literal), blocks: blocks}
	j.value = append(append([]byte{}, literal...), make([]byte, how.head()+len(blocks))...)
	if how == Tagged {
		j.value[len(literal)] = tag
	}
	return j
}

// piece is a run of octets, of which some belong to jobs.
type piece struct {
	octets []byte
	owner  []*job // by octet; nil: none
	index  []int
}

func literal(b []byte) piece {
	return piece{b, make([]*job, len(b)), make([]int, len(b))}
}

func hiddenPiece(j *job) piece {
	p := literal(j.value)
	for i := range p.owner {
		p.owner[i], p.index[i] = j, i
	}
	return p
}

func (p piece) cut(from, to int) piece {
	return piece{p.octets[from:to], p.owner[from:to], p.index[from:to]}
}

func join(list ...piece) (all piece) {
	for _, p := range list {
		all.octets = append(all.octets, p.octets...)
		all.owner = append(all.owner, p.owner...)
		all.index = append(all.index, p.index...)
	}
	return all
}

// attribute appends an attribute; false when its value is too long.
func (l *layout) attribute(t byte, p piece) bool {
	if len(p.octets) > 253 {
		return false
	}
	l.put(literal([]byte{t, byte(2 + len(p.octets))}))
	l.put(p)
	return true
}

func (l *layout) put(p piece) {
	for i, j := range p.owner {
		if j == nil {
			continue
		}
		if p.index[i] == 0 {
			j.at = make([]int, len(j.value))
			l.jobs = append(l.jobs, j)
		}
		j.at[p.index[i]] = len(l.b) + i
	}
	l.b = append(l.b, p.octets...)
}

// finish hides all values with the salts that seen has in their places. The error is
// about the salts (P39).
func (l *layout) finish(h Hop, seen []byte) error {
	used := map[[2]byte]bool{}
	for _, j := range l.jobs {
		var salt []byte
		if j.how == Salted || j.how == Tagged {
			at := j.before + j.how.head() - 2
			var s [2]byte
			for i := range s {
				if off := j.at[at+i]; off < len(seen) {
					s[i] = seen[off]
					l.b[off] = seen[off]
				}
			}
			if s[0]&0x80 == 0 {
				return fmt.Errorf("the salt % x at octet %d has no top bit", s, j.at[at])
			}
			if used[s] {
				return fmt.Errorf("the salt % x at octet %d is another value's, too", s, j.at[at])
			}
			used[s], salt = true, s[:]
		}
		out := []byte(nil)
		if j.how == Ascend {
			out = xorAscend(h, j.blocks)
		} else {
			out = xorChain(h, salt, j.blocks, false)
		}
		for i, b := range out {
			l.b[j.at[j.before+j.how.head()+i]] = b
		}
	}
	return nil
}
