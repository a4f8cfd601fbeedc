package files

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// closer notes that it was closed.
type closer struct{ closed bool }

func (c *closer) Close() error { c.closed = true; return nil }

// What is opened in time is the caller's; what is opened too late is closed, and an error is
// that of opening.
func TestOpen(t *testing.T) {
	refused := errors.New("refused")
	for _, row := range []struct {
		name   string
		takes  time.Duration
		err    error
		want   error
		closed bool
	}{
		{"at once", 0, nil, nil, false},
		{"in time", time.Second - 1, nil, nil, false},
		{"too late", time.Second + 1, nil, context.DeadlineExceeded, true},
		{"refused", 0, refused, refused, false},
		{"refused too late", time.Second + 1, refused, context.DeadlineExceeded, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			file := new(closer)
			got, err := Open(ctx, NewReader(), "path", func(path string) (*closer, error) {
				time.Sleep(row.takes)
				if path != "path" {
					t.Errorf("%s: opens %q, expected the path", row.name, path)
				}
				if row.err != nil {
					return nil, row.err
				}
				return file, nil
			})
			if !errors.Is(err, row.want) || (got == file) != (row.want == nil) || err != nil && got != nil {
				t.Errorf("%s: got %v and %v, expected the error %v", row.name, got, err, row.want)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if file.closed != row.closed {
				t.Errorf("%s: closed: %t, expected %t", row.name, file.closed, row.closed)
			}
		})
	}
}
