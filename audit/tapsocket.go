package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"radsec-gw/logs"
)

const (
	longestFilter = 4096             // bytes of the line that a subscriber sends
	filterWait    = 5 * time.Second  // for that line
	writeWait     = 10 * time.Second // for a subscriber to read a packet
)

// ListenTap opens the socket that taps connect to, for its owner only. It replaces a socket
// that an earlier gateway has not removed, but not one that a process uses, and nothing
// that is not a socket.
func ListenTap(path string) (*TapListener, error) {
	if err := CheckTapPath(path); err != nil {
		return nil, err
	}
	if err := checkUnused(path); err != nil {
		return nil, err
	}
	// It is made in a directory that nobody else can enter, and moved after its mode is set,
	// so that others can never connect.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".tap")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	inside := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: inside, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	made, err := os.Lstat(inside)
	if err == nil {
		err = errors.Join(os.Chmod(inside, 0o600), CheckTapPath(path))
	}
	if err == nil {
		err = os.Rename(inside, path)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return &TapListener{UnixListener: l, path: path, made: made}, nil
}

// CheckTapPath returns an error if something is at path that is not a socket, such as a
// file that was named by mistake.
func CheckTapPath(path string) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("%s is not a socket: expected a path where there is nothing, or a socket of an earlier gateway", path)
	}
	return nil // what else is wrong shows when the socket is made
}

// checkUnused returns an error if a process uses the socket at path, or may do so. Of one
// that nobody uses any more it is known: connecting to it is refused (unix(7)).
func checkUnused(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		c.Close()
		return fmt.Errorf("another gateway listens on %s", path)
	case errors.Is(err, syscall.EAGAIN): // its backlog is full
		return fmt.Errorf("another gateway listens on %s", path)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return fmt.Errorf("expected a path where there is nothing, or a socket of an earlier gateway; another program may use %s: %w", path, err)
}

// TapListener removes its socket when it is closed.
type TapListener struct {
	*net.UnixListener
	path string
	made os.FileInfo // of the socket
	once sync.Once
}

// InPlace reports whether the path still is the socket that was made: something that cleans
// up old files may have removed it, and nobody can connect then. If that cannot be
// determined it returns true.
func (l *TapListener) InPlace() bool {
	now, err := os.Lstat(l.path)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR)
	}
	return os.SameFile(now, l.made)
}

// Close closes the listener; it may be called more than once. It removes the socket, but
// not what has replaced it.
func (l *TapListener) Close() error {
	l.once.Do(func() {
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.made) {
			os.Remove(l.path)
		}
	})
	return l.UnixListener.Close()
}

// ServeTaps shows packets to the subscribers that connect to l, until ctx is done or l
// is closed; attached taps continue until ctx is done. It closes l, and returns after
// every goroutine that it started has ended. Errors of Accept are counted and logged, and
// it tries again after a pause: the process may be out of file descriptors for a while.
//
// A subscriber sends one line, a Filter as JSON, and then receives text or, where it asks for that, pcapng.
func (h *Hub) ServeTaps(ctx context.Context, l net.Listener) {
	const firstPause, longestPause = 5 * time.Millisecond, time.Second
	var failing logs.Limiter
	var running sync.WaitGroup
	defer running.Wait()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	for pause := firstPause; ; {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = firstPause
			running.Go(func() { h.serveTap(ctx, c) })
			continue
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		}
		h.metrics.AcceptFailed("tap")
		failing.Log(func() logs.Line {
			return logs.Line{Log: h.log, Level: slog.LevelError, Text: "cannot accept taps; trying again", Fields: []any{"error", err}}
		})
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		pause = min(2*pause, longestPause)
	}
}

func (h *Hub) serveTap(ctx context.Context, c net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(filterWait))
	from := bufio.NewReader(io.LimitReader(c, longestFilter))
	line, err := from.ReadBytes('\n')
	var f Filter
	if err == nil {
		err = json.Unmarshal(line, &f)
	}
	if err != nil {
		fmt.Fprintf(c, "expected a line of JSON, a filter as radsec-gw tap sends it: %v\n", err)
		return
	}
	t, err := h.attach(f)
	if err != nil {
		fmt.Fprintf(c, "%v\n", err)
		return
	}
	defer t.close()
	var reader sync.WaitGroup
	defer func() {
		c.Close()
		reader.Wait()
	}()
	c.SetReadDeadline(time.Time{})
	reader.Go(func() { // until the subscriber closes
		defer cancel()
		io.Copy(io.Discard, c)
	})
	if f.Pcapng {
		c.Write(pcapngHeader())
	} else {
		fmt.Fprintf(c, "showing %s\n", f)
	}
	t.show(ctx, c)
}

// show writes what the tap sees until ctx is done, the subscriber stops reading or it has as
// many as it wants.
func (t *tap) show(ctx context.Context, c net.Conn) {
	for shown := 0; t.filter.Count <= 0 || shown < t.filter.Count; {
		select {
		case s := <-t.events:
			t.hub.queue.Add(-1)
			c.SetWriteDeadline(time.Now().Add(writeWait))
			text := t.form(s)
			if len(text) > 0 {
				shown++
			}
			if _, err := c.Write(text); err != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// form returns an event in the form that the subscriber wants.
func (t *tap) form(s *tapEvent) []byte {
	n := t.dropped.Swap(0)
	if t.filter.Pcapng {
		block := s.pcapngBlock(n)
		if block == nil {
			t.dropped.Add(n)
		}
		return block
	}
	text := s.text()
	if n > 0 {
		text += fmt.Sprintf("(%d packets were not shown: they arrived faster than they could be printed)\n", n)
	}
	return []byte(text)
}

// close removes the tap and empties its queue.
func (t *tap) close() {
	t.hub.detach(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for {
		select {
		case <-t.events:
			t.hub.queue.Add(-1)
		default:
			return
		}
	}
}
