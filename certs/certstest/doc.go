// Package certstest makes revocation lists of the CAs of package certs, which only tests do.
package certstest
