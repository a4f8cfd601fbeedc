package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const module = "radsec-gw"

// group is a package with the packages beneath it.
type group struct {
	name string
	also []string // packages whose tests run, too, beside its own
	// bound is how many percent of the mutants may survive without being accepted.
	// 0: every survivor needs an entry.
	bound float64
}

var groups = []group{
	{"wire", []string{"relay", "udpback", oracle}, 0},
	{"relay", nil, 0},
	{"routing", []string{"relay"}, 0},
	{"identity", []string{"tlsfront"}, 0},
	{"udpback", []string{"relay"}, 2},
}

// oracle is a package whose tests are run and whose code is not changed: it is there
// for its tests only, and they compare it with the rest.
const oracle = "relay/twin"

// pkg is a package as `go list` describes it.
type pkg struct {
	Dir, ImportPath, Name, Export, ForTest     string
	GoFiles, SFiles, TestGoFiles, XTestGoFiles []string
	Standard                                   bool
	Deps                                       []string
	group, path                                string // of the module: "wire", "wire/lanes"
}

// list runs go list in the repository at root.
func list(root string, args ...string) ([]*pkg, error) {
	cmd := exec.Command("go", append([]string{"list", "-json=Dir,ImportPath,Name,Export,ForTest,GoFiles,SFiles,TestGoFiles,XTestGoFiles,Standard,Deps"}, args...)...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	var all []*pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		switch err := d.Decode(p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("go list: %w", err)
		}
		p.path = strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		all = append(all, p)
	}
}

// project is what is going to be changed, and the packages whose tests run.
type project struct {
	root    string
	fset    *token.FileSet
	targets []*pkg
	tests   []*pkg
	exports map[string]string // export data by import path
}

// load finds the packages of the named groups, of all when there are no names.
func load(root string, names []string) (*project, error) {
	p := &project{root: root, fset: token.NewFileSet(), exports: map[string]string{}}
	known := map[string]bool{}
	for _, g := range groups {
		known[g.name] = true
	}
	for _, name := range names {
		if !known[name] {
			return nil, fmt.Errorf("-package %s: expected some of wire, relay, routing, identity, udpback", name)
		}
	}
	for _, g := range groups {
		if _, err := os.Stat(filepath.Join(root, g.name)); err != nil || len(names) > 0 && !slices.Contains(names, g.name) {
			continue
		}
		if err := p.addGroup(g); err != nil {
			return nil, err
		}
	}
	deps, err := list(root, append([]string{"-export", "-deps"}, paths(p.targets)...)...)
	if err != nil {
		return nil, err
	}
	for _, d := range deps {
		p.exports[d.ImportPath] = d.Export
	}
	return p, nil
}

func (p *project) addGroup(g group) error {
	own, err := list(p.root, "./"+g.name+"/...")
	if err != nil {
		return err
	}
	for _, o := range own {
		if o.Name == "main" {
			continue
		}
		p.addTests(o)
		if o.path != oracle {
			o.group = g.name
			p.targets = append(p.targets, o)
		}
	}
	for _, name := range g.also {
		if _, err := os.Stat(filepath.Join(p.root, name)); err != nil {
			continue
		}
		others, err := list(p.root, "./"+name)
		if err != nil {
			return err
		}
		p.addTests(others[0])
	}
	return nil
}

func (p *project) addTests(t *pkg) {
	known := slices.ContainsFunc(p.tests, func(o *pkg) bool { return o.path == t.path })
	if !known && len(t.TestGoFiles)+len(t.XTestGoFiles) > 0 {
		p.tests = append(p.tests, t)
	}
}

func paths(all []*pkg) (paths []string) {
	for _, p := range all {
		paths = append(paths, p.ImportPath)
	}
	return paths
}

// source is one file to be changed.
type source struct {
	pkg  *pkg
	path string // from the root
	text []byte
	file *ast.File
	info *types.Info
}

// parse reads and type-checks a package. Generated files are not returned.
func (p *project) parse(t *pkg) ([]*source, error) {
	var files []*ast.File
	var sources []*source
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	for _, name := range t.GoFiles {
		full := filepath.Join(t.Dir, name)
		text, err := os.ReadFile(full)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(p.fset, full, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
		if !ast.IsGenerated(file) {
			sources = append(sources, &source{t, t.path + "/" + name, text, file, info})
		}
	}
	look := func(path string) (io.ReadCloser, error) { return os.Open(p.exports[path]) }
	conf := types.Config{Importer: importer.ForCompiler(p.fset, "gc", look)}
	if _, err := conf.Check(t.ImportPath, p.fset, files, info); err != nil {
		return nil, err
	}
	return sources, nil
}
