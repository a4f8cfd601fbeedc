// Package cli describes the commands of a program once, and makes everything from that
// description which people see of a command line: parsing, help, a manual page and the
// completion of shells.
//
//	command.go     Program and Command: the description
//	run.go         a command line is parsed and its command run
//	help.go        help, on standard output
//	manual.go      the manual page; roff.go writes what man reads
//	completion.go  completion; bash.go, zsh.go and fish.go have a shell each
package cli

import (
	"flag"
	"io"
	"slices"
)

// Program is a program with commands.
type Program struct {
	Name    string
	Summary string // what it does: the rest of a sentence that begins with its name
	Details string // paragraphs, with an empty line between two

	Commands []*Command // in the order of the help

	// For the manual page.
	Exit        []Entry // exit statuses that mean the same for every command
	Environment []Entry
	Files       []Entry
	SeeAlso     []string // such as "radsec-gw.toml(5)"
}

// Entry is a name with what it means.
type Entry struct{ Name, Text string }

// Example is a line for a shell, and what it is for.
type Example struct{ Text, Line string }

// Command is one command. New makes it.
type Command struct {
	Name    string
	Summary string // a few words, without a stop

	// Args is what the usage has for the arguments: "[NAME...]"; "" for none. At most
	// MaxArgs are accepted; Many for any number.
	Args    string
	MaxArgs int
	// Words are what the first argument may be, where that is a fixed list. Otherwise, with
	// ArgFiles, arguments are the names of files.
	Words    []string
	ArgFiles bool

	Details  string // paragraphs, with an empty line between two
	Exit     []Entry
	Examples []Example

	// Flags are the command's flags. Where the usage of one has `FILE` or `DIRECTORY` in
	// back quotes, its value is completed as such.
	Flags  *flag.FlagSet
	Values map[string][]string // of a flag, by its name, the values that it may have

	// Run runs the command, after its flags have been parsed, with its arguments, and
	// returns the exit status of the process.
	Run func(args []string, stdout, stderr io.Writer) int
}

// Many is a Command.MaxArgs without limit.
const Many = 1 << 30

// New returns a command without flags and arguments, for the caller to complete.
func New(name, summary string) *Command {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Program.Run prints what is wrong
	flags.Usage = func() {}
	return &Command{Name: name, Summary: summary, Flags: flags, Values: map[string][]string{}}
}

// command returns the command of that name; nil if there is none.
func (p *Program) command(name string) *Command {
	if i := slices.IndexFunc(p.Commands, func(c *Command) bool { return c.Name == name }); i >= 0 {
		return p.Commands[i]
	}
	return nil
}

// names returns the names of the commands, in order.
func (p *Program) names() (list []string) {
	for _, c := range p.Commands {
		list = append(list, c.Name)
	}
	return list
}

// flagList returns the flags of a command, by name.
func (c *Command) flagList() (list []*flag.Flag) {
	c.Flags.VisitAll(func(f *flag.Flag) { list = append(list, f) })
	return list
}

// isSwitch reports whether a flag has no value, as -quiet.
func isSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}
