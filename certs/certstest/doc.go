// Package certstest has what only tests do with the certificates of package certs:
// they show and verify them without files, and make revocation lists.
package certstest
