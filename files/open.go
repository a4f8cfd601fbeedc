package files

import (
	"context"
	"io"
	"sync"
)

// Open returns what open returns, which is called for path as by [Reader.Call]. What open
// returns after Call has given up is closed.
func Open[T io.Closer](ctx context.Context, r *Reader, path string, open func(path string) (T, error)) (T, error) {
	var mu sync.Mutex // guards what follows: open may return after Call
	var opened T
	isOpen, givenUp := false, false
	err := r.Call(ctx, path, func() error {
		c, err := open(path)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if givenUp {
			return c.Close()
		}
		opened, isOpen = c, true
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	if err == nil {
		return opened, nil
	}
	if givenUp = true; isOpen {
		opened.Close()
	}
	var none T
	return none, err
}
