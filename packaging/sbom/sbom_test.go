package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/xeipuuv/gojsonschema"
)

// program returns the gateway: the file that RADSEC_GW names, or one built for this test.
func program(t *testing.T) string {
	t.Helper()
	if file := os.Getenv("RADSEC_GW"); file != "" {
		return file
	}
	file := filepath.Join(t.TempDir(), "radsec-gw")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, "./cmd/radsec-gw")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// document runs the command and returns what it wrote, as text and decoded.
func document(t *testing.T, args ...string) (text []byte, bom *cyclonedx.BOM) {
	t.Helper()
	var out, errs bytes.Buffer
	if status := run(args, &out, &errs); status != 0 {
		t.Fatalf("sbom %q: expected exit status 0, got %d: %s", args, status, errs.String())
	}
	text, bom = bytes.Clone(out.Bytes()), new(cyclonedx.BOM)
	if err := cyclonedx.NewBOMDecoder(&out, cyclonedx.BOMFileFormatJSON).Decode(bom); err != nil {
		t.Fatal(err)
	}
	return text, bom
}

// schema returns the schema of CycloneDX 1.6, which the library brings, with those that it refers to.
func schema(t *testing.T) *gojsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(strings.TrimSpace(string(dir)), "schema")
	loader := gojsonschema.NewSchemaLoader()
	for name, file := range map[string]string{"spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82.schemax.json"} {
		err := loader.AddSchema("http://cyclonedx.org/schema/"+name, gojsonschema.NewReferenceLoader("file://"+filepath.Join(folder, file)))
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := loader.Compile(gojsonschema.NewReferenceLoader("file://" + filepath.Join(folder, "bom-1.6.schema.json")))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// faults returns how the text differs from the schema.
func faults(t *testing.T, s *gojsonschema.Schema, text []byte) []gojsonschema.ResultError {
	t.Helper()
	result, err := s.Validate(gojsonschema.NewBytesLoader(text))
	if err != nil {
		t.Fatal(err)
	}
	return result.Errors()
}

func TestGateway(t *testing.T) {
	file := program(t)
	t.Run("modules", func(t *testing.T) { checkModules(t, file) })
	t.Run("subject", func(t *testing.T) { checkSubject(t, file) })
}

// The gateway's own document is as the schema wants it, and names what `go version -m` names.
func checkModules(t *testing.T, file string) {
	s := schema(t)
	for _, args := range [][]string{{"-version", "1.2.3~rc1+4.gabc"}, {"-version", "v1.2.3", "-image", "radsec-gw"}} {
		text, bom := document(t, append(args, file)...)
		for _, fault := range faults(t, s, text) {
			t.Errorf("sbom %q: %v", args, fault)
		}
		again, _ := document(t, append(args, file)...)
		if !bytes.Equal(text, again) {
			t.Errorf("sbom %q: expected the same document again", args)
		}
		namesModules(t, file, bom)
	}
	if text := []byte(`{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library"}]}`); len(faults(t, s, text)) == 0 {
		t.Error("the schema accepts a component without a name")
	}
}

// namesModules compares the document with what `go version -m` prints.
func namesModules(t *testing.T, file string, bom *cyclonedx.BOM) {
	t.Helper()
	got := map[string]string{}
	for _, c := range *bom.Components {
		if c.Hashes != nil {
			got[c.Name+" "+c.Version] = (*c.Hashes)[0].Value
		}
	}
	out, err := exec.Command("go", "version", "-m", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) != 4 || fields[0] != "dep" {
			continue
		}
		modules++
		hash, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(fields[3], "h1:"))
		if err != nil {
			t.Fatal(err)
		}
		if want := hex.EncodeToString(hash); got[fields[1]+" "+fields[2]] != want {
			t.Errorf("module %s %s: expected the hash %s, got %q", fields[1], fields[2], want, got[fields[1]+" "+fields[2]])
		}
	}
	if modules < 10 {
		t.Errorf("expected go version -m to name at least 10 modules, got %d", modules)
	}
}

// The document says of what file it is, and what Go it was built with.
func checkSubject(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	_, bom := document(t, "-version", "1.2.3", file)
	c := bom.Metadata.Component
	if c.Name != "radsec-gw" || c.Version != "1.2.3" || (*c.Hashes)[0].Value != hex.EncodeToString(sum[:]) {
		t.Errorf("expected radsec-gw 1.2.3 with SHA-256 %x, got %s %s %v", sum, c.Name, c.Version, *c.Hashes)
	}
	if std := (*bom.Components)[0]; std.Name != "std" || "go"+std.Version != info.GoVersion {
		t.Errorf("expected the standard library of %s, got %s %s", info.GoVersion, std.Name, std.Version)
	}
	_, bom = document(t, "-image", "radsec-gw", file)
	if c := bom.Metadata.Component; c.Type != cyclonedx.ComponentTypeContainer || (*bom.Components)[0].Name != "radsec-gw" {
		t.Errorf("expected a container with radsec-gw, got a %s with %s", c.Type, (*bom.Components)[0].Name)
	}
}

// What is not a Go program is refused, with nothing written.
func TestRefused(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
	}{{[]string{text}, 1}, {[]string{text + ".none"}, 1}, {nil, 2}, {[]string{"-unknown"}, 2}} {
		var out, errs bytes.Buffer
		if status := run(c.args, &out, &errs); status != c.status || out.Len() > 0 || errs.Len() == 0 {
			t.Errorf("sbom %q: expected exit status %d and a message, got %d, %q, %q", c.args, c.status, status, out.String(), errs.String())
		}
	}
	if _, err := fileHash("h2:AAAA"); err == nil {
		t.Error("a sum that is not h1: is accepted")
	}
	if got, want := packageURL("github.com/BurntSushi/toml", "v2.0.0+incompatible"), "pkg:golang/github.com/burntsushi/toml@v2.0.0%2Bincompatible"; got != want {
		t.Errorf("expected %s, got %s", want, got)
	}
	if !json.Valid([]byte(`"` + serialNumber([32]byte{}) + `"`)) {
		t.Error("the serial number is not plain text")
	}
}
