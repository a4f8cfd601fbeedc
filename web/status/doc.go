// Package status is the state of a gateway as one value, a [Snapshot]: what the status page
// shows and /api/v1/status answers. docs/status.md describes each of its fields.
//
// snapshot.go has the types. problems.go finds what is wrong with what they hold,
// and view.go cuts a snapshot to what one caller asks for and to what fits. Nothing here
// reads a clock, a lock or a file: package gateway makes the value, package web renders it.
//
// Texts that come from peers (subjects of certificates, fields of log lines) must have been
// made printable and cut by whoever puts them into a Snapshot. A Snapshot holds no
// secret, and no name of a user.
package status
