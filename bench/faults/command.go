package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"radsec-gw/bench/material"
	"radsec-gw/bench/process"
)

// Command is bench faults.
func Command(ctx context.Context, fs *flag.FlagSet, args []string, out io.Writer) error {
	var known []string
	for _, t := range Trials() {
		known = append(known, t.Name)
	}
	only := fs.String("trials", strings.Join(known, ","), "which to run, separated by commas")
	small := fs.Bool("small", false, "short timers and little load: half a minute instead of six")
	gateway := fs.String("gateway", "", "path of radsec-gw; empty: it is built")
	if err := fs.Parse(args); err != nil {
		return err
	}
	wanted := strings.Split(*only, ",")
	for _, name := range wanted {
		if !slices.Contains(known, name) {
			return fmt.Errorf("-trials: expected some of %s, got %q", strings.Join(known, ", "), name)
		}
	}
	dir, err := os.MkdirTemp("", "faults-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	size := Full()
	if *small {
		size = Small()
	}
	bench, err := os.Executable()
	if err != nil {
		return err
	}
	env, err := NewEnv(ctx, dir, *gateway, bench)
	if err != nil {
		return err
	}
	env.Log = out
	var rows []Row
	for _, t := range Trials() {
		if !slices.Contains(wanted, t.Name) {
			continue
		}
		fmt.Fprintf(out, "trying %s …\n", t.Name)
		found, err := t.Run(ctx, env, size)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		rows = append(rows, found...)
	}
	if !Print(out, rows) {
		return errors.New("not everything was as expected")
	}
	return nil
}

// NewEnv makes certificates in dir and builds what has no path: the gateway and
// this command.
func NewEnv(ctx context.Context, dir, gateway, bench string) (*Env, error) {
	for path, program := range map[*string]string{&gateway: "radsec-gw/cmd/radsec-gw", &bench: "radsec-gw/bench"} {
		if *path != "" {
			continue
		}
		var err error
		if *path, err = process.Build(ctx, dir, program); err != nil {
			return nil, err
		}
	}
	files, err := material.Write(filepath.Join(dir, "certs"))
	if err != nil {
		return nil, err
	}
	client, err := files.Client()
	if err != nil {
		return nil, err
	}
	return &Env{Dir: dir, Gateway: gateway, Bench: bench, Files: files, Client: client, Log: io.Discard}, nil
}
