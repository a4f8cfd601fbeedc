// Package nearest finds the name that a mistyped one was likely meant to be.
package nearest

import "strings"

// Of returns the name of names that is nearest to s, ignoring case, and within an edit
// distance of 2 bytes; "" if none is.
func Of(s string, names []string) string {
	best, bestDistance := "", 3
	for _, n := range names {
		if d := distance(s, n); d < bestDistance && d < len(n) {
			best, bestDistance = n, d
		}
	}
	return best
}

// distance returns the edit distance of a and b in bytes, ignoring case, or 3
// when their lengths differ by more than two.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := diagonal
			if a[i-1] != b[j-1] {
				change++
			}
			diagonal = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
