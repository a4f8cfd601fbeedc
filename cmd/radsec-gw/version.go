package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"radsec-gw/cli"
)

// version and commit can be set by the linker, for a build without a repository:
//
//	go build -ldflags "-X main.version=v1.2.3 -X main.commit=$(git rev-parse HEAD)" ./cmd/radsec-gw
//
// If they are empty, those of the build information are used.
var version, commit string

// versionCommand describes radsec-gw version.
func versionCommand() *cli.Command {
	c := cli.New("version", "print version, commit and Go version")
	c.Details = "Each is on a line of its own, for scripts. The same is printed by radsec-gw --version."
	c.Examples = []cli.Example{{Text: "For a bug report", Line: "radsec-gw version"}}
	c.Run = func(_ []string, stdout, _ io.Writer) int {
		v, c := build()
		fmt.Fprintf(stdout, "radsec-gw %s\ncommit %s\n%s %s/%s\n", v, c, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return 0
	}
	return c
}

// build returns the version and the commit of this program.
func build() (v, c string) {
	info, _ := debug.ReadBuildInfo()
	return buildVersion(version, info)
}

// buildVersion returns the linker's version and commit if they are set, otherwise those of
// the build information, whose commit has "+changes" if the working tree had any. info may
// be nil.
func buildVersion(linked string, info *debug.BuildInfo) (v, c string) {
	v, c = linked, "unknown"
	if info == nil {
		info = new(debug.BuildInfo)
	}
	if v == "" {
		v = info.Main.Version
	}
	if v == "" || v == "(devel)" {
		v = "development"
	}
	changed := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			c = s.Value
		case "vcs.modified":
			changed = s.Value == "true"
		}
	}
	if changed {
		c += "+changes"
	}
	if commit != "" {
		c = commit
	}
	return v, c
}
