// Package documents runs the commands of the repository's documents as they are
// written: every one in a block marked sh of every Markdown file.
//
// scenes_test.go lists where each section's commands are run: in a copy of the
// repository, within namespaces of their own, so that the ports and /etc/freeradius
// are as on a machine where nothing else runs. elsewhere_test.go lists those that
// another test runs, or none, with its name or the reason. A command that neither
// list covers fails, and so does an entry that no command needs.
//
// The scenes need root, or sudo without a password, and what make deps installs.
package documents
