package main

import (
	"runtime/debug"
	"testing"
)

func TestBuildVersion(t *testing.T) {
	settings := func(kv ...string) (s []debug.BuildSetting) {
		for i := 0; i < len(kv); i += 2 {
			s = append(s, debug.BuildSetting{Key: kv[i], Value: kv[i+1]})
		}
		return s
	}
	for _, c := range []struct {
		name, linked    string
		info            *debug.BuildInfo
		version, commit string
	}{
		{"no build information", "", nil, "development", "unknown"},
		{"go run", "", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "development", "unknown"},
		{"go install", "", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3", "unknown"},
		{"the linker's wins", "v2.0.0", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: settings("vcs.revision", "abc")}, "v2.0.0", "abc"},
		{"a changed tree", "", &debug.BuildInfo{Settings: settings("vcs.modified", "true", "vcs.revision", "abc")}, "development", "abc+changes"},
		{"a clean tree", "", &debug.BuildInfo{Settings: settings("vcs.modified", "false", "vcs.revision", "abc")}, "development", "abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v, commit := buildVersion(c.linked, c.info); v != c.version || commit != c.commit {
				t.Errorf("printed %q, %q; want %q, %q", v, commit, c.version, c.commit)
			}
		})
	}
}
