package manifests

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// compose is what the tests read of docker/compose.yaml.
type compose struct {
	Services map[string]struct {
		Image    string                           `json:"image"`
		Build    struct{ Args map[string]string } `json:"build"`
		ReadOnly bool                             `json:"read_only"`
		CapDrop  []string                         `json:"cap_drop"`
		Security []string                         `json:"security_opt"`
	} `json:"services"`
}

var pinned = regexp.MustCompile(`:[^@}]+@sha256:[0-9a-f]{64}\}?$`)

// versioned matches the images whose digests could not be verified where they were chosen.
var versioned = regexp.MustCompile(`(freeradius/freeradius-server|-nats):[0-9]+\.[0-9]+\.[0-9]+\}?$`)

// Images that others made are named by digest, which their tags can no longer change. Those of
// FreeRADIUS and NATS have their version at least; docker/README.md says how to find out the digest.
//
// Fault S15.
func TestImagesArePinned(t *testing.T) {
	var c compose
	read(t, "../../compose.yaml", &c)
	images := map[string]string{}
	for name, s := range c.Services {
		images[name] = s.Image
		for arg, value := range s.Build.Args {
			if strings.HasSuffix(arg, "_IMAGE") {
				images[name+", "+arg] = value
			}
		}
	}
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, arg := range regexp.MustCompile(`(?m)^ARG (\w+_IMAGE)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		images["Dockerfile, "+arg[1]] = arg[2]
	}
	n := 0
	for where, image := range images {
		switch {
		case strings.HasPrefix(image, "radsec-gw:"), versioned.MatchString(image):
		case !pinned.MatchString(image):
			t.Errorf("%s: expected an image with a digest, got %s", where, image)
		default:
			n++
		}
	}
	if n < 5 {
		t.Errorf("expected five images with a digest or more, got %d", n)
	}
}

// What is beside the gateway has no rights that it does not need.
//
// Fault S15.
func TestWatchersAreLockedDown(t *testing.T) {
	var c compose
	read(t, "../../compose.yaml", &c)
	for _, name := range []string{"prometheus", "grafana", "nats-1", "nats-2", "nats-3"} {
		s, there := c.Services[name]
		if !there || !s.ReadOnly || strings.Join(s.CapDrop, " ") != "ALL" || strings.Join(s.Security, " ") != "no-new-privileges:true" {
			t.Errorf("%s: expected a read-only file system, no capabilities and no new privileges, got %+v", name, s)
		}
	}
}

// read reads a file of YAML.
func read(t *testing.T, path string, to any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}
