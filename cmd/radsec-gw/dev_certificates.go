package main

import "radsec-gw/certs"

// devCertificates makes a CA, a server's certificate and one client's in dir: ca.pem, server.pem and
// client.pem, each with its .key.
func devCertificates(dir string) error {
	_, err := certs.WriteDir(dir, certs.DirOptions{Clients: []string{"client"}})
	return err
}
