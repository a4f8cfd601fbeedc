package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"radsec-gw/cli"
	"radsec-gw/files"
)

// Where a command looks for the configuration, after -config.
const (
	configVariable = "RADSEC_GW_CONFIG"
	localConfig    = "radsec-gw.toml"
	systemConfig   = "/etc/radsec-gw/radsec-gw.toml"
)

// configFlag adds -config to a command. The file is that of configPath.
func configFlag(c *cli.Command) *string {
	return c.Flags.String("config", "", "the configuration `FILE` (default $"+configVariable+", or "+localConfig+" in the current directory if it is there, or "+systemConfig+")")
}

// configPath returns the configuration file: the one that -config gives, that of the
// environment, or the first of the usual ones that exists. The error names all places.
func configPath(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	if path := os.Getenv(configVariable); path != "" {
		return path, nil
	}
	reader := files.NewReader()
	for _, path := range []string{localConfig, systemConfig} {
		err := reader.Call(context.Background(), path, func() error { _, err := os.Stat(path); return err })
		if !errors.Is(err, fs.ErrNotExist) {
			return path, nil // also if it cannot be read: reading it says why
		}
	}
	return "", fmt.Errorf("expected a configuration file: there is no -config, %s is not set, and neither %s in the current directory nor %s exists",
		configVariable, localConfig, systemConfig)
}
