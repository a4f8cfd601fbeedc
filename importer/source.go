package importer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of what is read. Configurations of whole federations have tens of thousands of
// lines.
const (
	MaxFile  = 4 << 20  // bytes of one file
	MaxTotal = 32 << 20 // bytes of all files
	MaxFiles = 2000     // with each inclusion counted
	MaxDepth = 20       // files that include each other
)

// Source reads files, and bounds how much.
type Source struct {
	// Base is the directory below which Shown shortens names.
	Base string

	fsys  fs.FS
	files int
	bytes int
}

// Disk returns the files of this machine.
func Disk() *Source { return NewSource(os.DirFS("/")) }

// NewSource returns the files of fsys; absolute paths begin at its root.
func NewSource(fsys fs.FS) *Source { return &Source{fsys: fsys} }

// Read reads a regular file by its absolute path.
func (s *Source) Read(name string) (string, error) {
	if s.files++; s.files > MaxFiles {
		return "", fmt.Errorf("expected at most %d files, with each inclusion counted", MaxFiles)
	}
	rooted := inside(name)
	if info, err := fs.Stat(s.fsys, rooted); err != nil {
		return "", reason(err)
	} else if !info.Mode().IsRegular() {
		return "", errors.New("expected a regular file")
	}
	f, err := s.fsys.Open(rooted)
	if err != nil {
		return "", reason(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	switch s.bytes += len(text); {
	case err != nil:
		return "", reason(err)
	case len(text) > MaxFile:
		return "", fmt.Errorf("expected at most %d bytes in a file", MaxFile)
	case s.bytes > MaxTotal:
		return "", fmt.Errorf("expected at most %d bytes in all files", MaxTotal)
	}
	return string(text), nil
}

// Shown returns a name as comments and mistakes have it: below Base without Base.
func (s *Source) Shown(name string) string {
	if rest, ok := strings.CutPrefix(name, path.Join(s.Base, "/")+"/"); ok && s.Base != "" {
		return rest
	}
	return name
}

// Glob returns the absolute paths that match a pattern, sorted.
func (s *Source) Glob(pattern string) ([]string, error) {
	found, err := fs.Glob(s.fsys, inside(pattern))
	if len(found) > MaxFiles {
		return nil, fmt.Errorf("expected at most %d files, found %d", MaxFiles, len(found))
	}
	for i := range found {
		found[i] = "/" + found[i]
	}
	slices.Sort(found)
	return found, err
}

// List returns the names in a directory, sorted.
func (s *Source) List(dir string) (names []string, err error) {
	entries, err := fs.ReadDir(s.fsys, inside(dir))
	if err != nil {
		return nil, reason(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// Exists reports whether there is a file or a directory of this name.
func (s *Source) Exists(name string) bool {
	_, err := fs.Stat(s.fsys, inside(name))
	return err == nil
}

// inside returns an absolute path as an fs.FS has it.
func inside(name string) string {
	if clean := strings.TrimPrefix(path.Clean(filepath.ToSlash(name)), "/"); clean != "" {
		return clean
	}
	return "."
}

// reason returns an error of the file system without the path, which the caller names.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// IsDir reports whether there is a directory of this name.
func (s *Source) IsDir(name string) bool {
	info, err := fs.Stat(s.fsys, inside(name))
	return err == nil && info.IsDir()
}
