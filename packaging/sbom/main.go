// Command sbom writes the software bill of materials of a Go program, in CycloneDX 1.6 as
// JSON, from the build information that the Go linker put into it:
//
//	sbom -version 1.2.3 FILE >sbom.cdx.json
//
// It names each module that the program is built from with its version, its package URL
// and the hash of go.sum, the standard library, and the program itself with its SHA-256.
// With -image NAME it describes a container image that has the program and nothing else.
// Equal programs give equal documents.
package main

import (
	"debug/buildinfo"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/CycloneDX/cyclonedx-go"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status: 0, 1 if the file cannot be described, 2 for a usage error.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("sbom", flag.ContinueOnError)
	flags.SetOutput(stderr)
	version := flags.String("version", "", "the program's `version`, instead of that of its build information")
	image := flags.String("image", "", "describe the container image of this `name`, which has the program alone")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() != 1 {
		fmt.Fprintf(stderr, "sbom: expected one file, got %q\n", flags.Args())
		return 2
	}
	if err := write(stdout, flags.Arg(0), *version, *image); err != nil {
		fmt.Fprintln(stderr, "sbom:", err)
		return 1
	}
	return 0
}

// write writes the document of the program in file.
func write(w io.Writer, file, version, image string) error {
	program, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	bom, err := describe(info, program, version)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if image != "" {
		wrap(bom, image)
	}
	encoder := cyclonedx.NewBOMEncoder(w, cyclonedx.BOMFileFormatJSON)
	return encoder.SetPretty(true).EncodeVersion(bom, cyclonedx.SpecVersion1_6)
}
