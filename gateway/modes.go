package gateway

import (
	"fmt"
	"path/filepath"

	"radsec-gw/config"
	"radsec-gw/files"
)

// checkModes notes keys that every user of the machine can read: who has the ticket keys
// can resume the session of any client whose certificate he has seen, and who has a private
// key is the gateway. It warns of other secrets that everybody can read, and of files that
// everybody can change: who can change a CA's certificate or the configuration is any client.
func (m *material) checkModes(from *files.Snapshot) (mistakes config.Mistakes) {
	warn := func(f File, format string, args ...any) {
		m.parseWarnings = append(m.parseWarnings, parseWarning{key: f.Key, err: fmt.Errorf(format, args...)})
	}
	for _, f := range allFiles(m.cfg) {
		switch at := from.Writable(f.Path); {
		case at == "":
		case filepath.Clean(at) == filepath.Clean(f.Path):
			warn(f, "every user of this machine can write to %s: run chmod o-w on it", f.Path)
		default:
			warn(f, "every user of this machine can replace %s, because of the mode of %s: run chmod o-w on it", f.Path, at)
		}
		if !f.Secret || !from.Public(f.Path) {
			continue
		}
		const text = "every user of this machine can read %s: run chmod o-r on it, and let the gateway read it as its owner or by its group"
		if f.limit == 0 || m.cfg.Listen.ReadableKeys == config.ReadableKeysWarn {
			warn(f, text, f.Path)
			continue
		}
		mistakes = append(mistakes, m.cfg.MistakeAt(f.Key, fmt.Sprintf(text+" (readable_keys of [listen])", f.Path)))
	}
	return mistakes
}
