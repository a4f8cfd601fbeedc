package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path"
	"runtime/debug"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
)

// describe returns the document of a program: its build information, its bytes, and its
// version where the build information has none.
func describe(info *debug.BuildInfo, program []byte, version string) (*cyclonedx.BOM, error) {
	sum := sha256.Sum256(program)
	subject := cyclonedx.Component{
		Type:       cyclonedx.ComponentTypeApplication,
		Name:       path.Base(info.Path),
		Version:    cmp.Or(version, info.Main.Version),
		Hashes:     &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Properties: properties(info),
	}
	subject.PackageURL = packageURL(info.Main.Path, subject.Version)
	subject.BOMRef = subject.PackageURL
	goVersion := strings.TrimPrefix(info.GoVersion, "go")
	components := []cyclonedx.Component{{
		BOMRef:     packageURL("std", goVersion),
		Type:       cyclonedx.ComponentTypeLibrary,
		Name:       "std",
		Version:    goVersion,
		PackageURL: packageURL("std", goVersion),
	}}
	for _, m := range info.Deps {
		c, err := component(m)
		if err != nil {
			return nil, err
		}
		components = append(components, c)
	}
	bom := cyclonedx.NewBOM()
	bom.SerialNumber = serialNumber(sum)
	bom.Metadata = &cyclonedx.Metadata{Component: &subject}
	bom.Components = &components
	// Which module needs which the build information does not say: the program needs all.
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: subject.BOMRef, Dependencies: refs(components)}}
	return bom, nil
}

// wrap makes the document one of an image that has the program alone.
func wrap(bom *cyclonedx.BOM, image string) {
	program := *bom.Metadata.Component
	bom.Metadata.Component = &cyclonedx.Component{
		BOMRef:  "image",
		Type:    cyclonedx.ComponentTypeContainer,
		Name:    image,
		Version: program.Version,
	}
	components := append([]cyclonedx.Component{program}, *bom.Components...)
	bom.Components = &components
	dependencies := append([]cyclonedx.Dependency{{Ref: "image", Dependencies: &[]string{program.BOMRef}}}, *bom.Dependencies...)
	bom.Dependencies = &dependencies
}

// component describes a module, or the one that replaces it.
func component(m *debug.Module) (cyclonedx.Component, error) {
	if m.Replace != nil {
		m = m.Replace
	}
	hash, err := fileHash(m.Sum)
	if err != nil {
		return cyclonedx.Component{}, fmt.Errorf("module %s %s: %w", m.Path, m.Version, err)
	}
	url := packageURL(m.Path, m.Version)
	return cyclonedx.Component{
		BOMRef:     url,
		Type:       cyclonedx.ComponentTypeLibrary,
		Name:       m.Path,
		Version:    m.Version,
		Hashes:     &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hash}},
		PackageURL: url,
	}, nil
}

// fileHash returns in hexadecimal the SHA-256 that go.sum has for a module, "h1:" and
// Base64. It is one over the names and hashes of the module's files
// (golang.org/x/mod/sumdb/dirhash), not over an archive.
func fileHash(sum string) (string, error) {
	hash, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:"))
	if err != nil || !strings.HasPrefix(sum, "h1:") || len(hash) != sha256.Size {
		return "", fmt.Errorf("expected the sum of go.sum, h1: and 32 bytes in Base64, got %q", sum)
	}
	return hex.EncodeToString(hash), nil
}

// properties returns how the program was built, GOARCH and GOOS among it.
func properties(info *debug.BuildInfo) *[]cyclonedx.Property {
	all := []cyclonedx.Property{{Name: "go:version", Value: info.GoVersion}}
	for _, s := range info.Settings {
		all = append(all, cyclonedx.Property{Name: "go:build:" + s.Key, Value: s.Value})
	}
	return &all
}

// packageURL returns the package URL of a module, as the type "golang" wants it: the path
// in lower case, and "+" of a version as %2B.
func packageURL(module, version string) string {
	return "pkg:golang/" + strings.ToLower(module) + "@" + strings.ReplaceAll(version, "+", "%2B")
}

// serialNumber returns a UUID of version 8 (RFC 9562 §5.8), made from the program's hash.
func serialNumber(sum [sha256.Size]byte) string {
	u := sum[:16]
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

func refs(components []cyclonedx.Component) *[]string {
	var all []string
	for _, c := range components {
		all = append(all, c.BOMRef)
	}
	return &all
}
