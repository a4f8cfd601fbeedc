package gateway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/tlsfront"
)

// openKeyLog opens the file for the keys of connections, or returns that of the current
// generation if it is the same file still: one that was renamed or removed is replaced by a
// new one, as whoever rotates files expects. It returns nil if the configuration asks for
// none.
func (g *Gateway) openKeyLog(cfg *config.Config, current *generation) (*tlsfront.KeyLog, error) {
	path := cfg.Listen.KeyLogFile
	if path == "" {
		return nil, nil
	}
	var mu sync.Mutex // guards what follows: the call may outlive its deadline
	var file *os.File
	givenUp := false
	err := g.reader.Call(g.ctx, path, func() error {
		f, err := tlsfront.OpenKeyLogFile(path)
		mu.Lock()
		defer mu.Unlock()
		if err == nil && givenUp {
			return f.Close()
		}
		file = f
		return err
	})
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		if givenUp = true; file != nil {
			file.Close()
		}
		return nil, fmt.Errorf("[listen].key_log_file: %w", err)
	}
	if current != nil && current.keyLog != nil && current.keyLog.WritesTo(file) {
		return current.keyLog, file.Close()
	}
	return tlsfront.NewKeyLog(file, g.log), nil
}

// closeKeyLog closes a file for keys, unless the other generation uses it too.
func closeKeyLog(k, other *tlsfront.KeyLog) {
	if k != nil && k != other {
		k.Close()
	}
}

// keyLogMistakes returns what is wrong with the file for keys, so that check reports it too.
// A disk that does not answer is left to openKeyLog.
func keyLogMistakes(cfg *config.Config, reader *files.Reader) config.Mistakes {
	path := cfg.Listen.KeyLogFile
	if path == "" {
		return nil
	}
	err := reader.Call(context.Background(), path, func() error { return tlsfront.CheckKeyLogFile(path) })
	if err == nil || errors.As(err, new(*files.StuckError)) {
		return nil
	}
	return config.Mistakes{cfg.MistakeAt("listen.key_log_file", err.Error())}
}
