// Package certstest makes what only tests need of package certs: revocation lists, and
// certificates that are valid for a time of their own.
package certstest
