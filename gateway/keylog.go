package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/tlsfront"
)

// keyLogWait bounds how long a reload waits for the disk of the file for keys, twice at most.
// A start waits as long for it as for other files.
const keyLogWait = time.Second

// openKeyLog opens the file for the keys of connections, or returns that of the current
// generation if it is the same file still: one that was renamed or removed is replaced by a
// new one, as whoever rotates files expects. It is also kept if its disk does not answer.
// openKeyLog returns nil if the configuration asks for none.
func (g *Gateway) openKeyLog(cfg *config.Config, current *generation) (*tlsfront.KeyLog, error) {
	path := cfg.Listen.KeyLogFile
	if path == "" {
		return nil, nil
	}
	ctx := g.ctx
	if current != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, keyLogWait)
		defer cancel()
	}
	file, err := files.Open(ctx, g.reader, path, tlsfront.OpenKeyLogFile)
	if err != nil {
		blocks := g.ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded)
		if blocks && current.keyLog != nil && current.Config.Listen.KeyLogFile == path {
			g.log.Warn("key_log_file is on a disk that does not answer; the file that is open stays in use", "path", path)
			return current.keyLog, nil
		}
		if blocks {
			err = fmt.Errorf("%s blocks: expected an answer within %v, got none; it is on a disk that does not answer", path, keyLogWait)
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

// keyLogMistakes returns what is wrong with the file for keys, so that check reports it too:
// no other file that the configuration names may be the same, since keys would be appended to
// it. A disk that does not answer is left to openKeyLog.
func keyLogMistakes(cfg *config.Config, reader *files.Reader) config.Mistakes {
	path := cfg.Listen.KeyLogFile
	if path == "" {
		return nil
	}
	var others []File
	for _, part := range cfg.Files() { // first: one that has a secret is named as part of the configuration
		others = append(others, File{Path: part})
	}
	others = append(others, listFiles(cfg)...)
	if cfg.Tap.Socket != "" {
		others = append(others, File{Key: "tap.socket", Path: cfg.Tap.Socket})
	}
	ctx, cancel := context.WithTimeout(context.Background(), keyLogWait)
	defer cancel()
	err := reader.Call(ctx, path, func() error { return cmp.Or(usedAlready(path, others), tlsfront.CheckKeyLogFile(path)) })
	if err == nil || errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(*files.StuckError)) {
		return nil
	}
	return config.Mistakes{cfg.MistakeAt("listen.key_log_file", err.Error())}
}

// usedAlready returns an error if path is one of the other files, by whatever name.
func usedAlready(path string, others []File) error {
	info, statErr := os.Stat(path)
	for _, other := range others {
		same := filepath.Clean(other.Path) == filepath.Clean(path)
		if !same && statErr == nil {
			one, err := os.Stat(other.Path)
			same = err == nil && os.SameFile(info, one)
		}
		switch {
		case same && other.Key == "":
			return fmt.Errorf("expected a file of its own, got %s, which is a part of the configuration: keys that are appended would damage it", path)
		case same:
			return fmt.Errorf("expected a file of its own, got that of %s, %s: keys that are appended would damage it", other.Key, path)
		}
	}
	return nil
}
