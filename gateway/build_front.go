package gateway

import (
	"crypto/x509"
	"fmt"
	"slices"

	"radsec-gw/config"
	"radsec-gw/identity"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
	"radsec-gw/tlsfront"
)

// buildFronts translates the configuration of the RadSec side, except for its sockets.
func buildFronts(cfg *config.Config, files *material, m *metrics.Metrics, d *Descriptors) (list []tlsfront.Config, err error) {
	for _, f := range files.fronts {
		one, err := buildFront(cfg, f, files.ownCAs, m)
		if err != nil {
			return nil, err
		}
		one.MaxDescriptors, one.DescriptorLimit = d.share(cfg, one.MaxConnections), d.Limit
		list = append(list, one)
	}
	return list, nil
}

// buildFront translates the configuration of one front. ownCAs are those of each client.
func buildFront(cfg *config.Config, files *frontMaterial, ownCAs [][]*x509.Certificate, m *metrics.Metrics) (tlsfront.Config, error) {
	l := files.Listen
	front := tlsfront.Config{
		Name:                    files.Name,
		ClientCA:                files.clientCAs,
		Intermediates:           files.intermediates,
		CRLs:                    files.crls,
		RefuseStaleCRL:          l.CRLStale == config.CRLStaleRefuse,
		TicketKeys:              files.tickets,
		ClientAuth:              clientAuthOf(l.ClientAuth),
		MinVersion:              l.MinTLS,
		CipherSuites:            l.Suites(),
		RadiusVersions:          l.RadiusVersions,
		ProxyNetworks:           l.ProxyProtocol,
		SilentTimeout:           l.SilentTimeout,
		HandshakeTimeout:        l.HandshakeTimeout,
		PacketTimeout:           l.PacketTimeout,
		WriteTimeout:            l.WriteTimeout,
		IdleTimeout:             l.IdleTimeout,
		MaxConnections:          l.MaxConnections,
		MaxPerSource:            l.MaxConnectionsPerSource,
		MaxHandshakes:           l.MaxHandshakes,
		MaxPacketsPerConnection: l.MaxPacketsPerConnection,
		MaxOutstanding:          l.MaxOutstanding,
		Metrics:                 m,
	}
	for i, c := range files.certificates {
		if i == 0 {
			front.Certificate = c.pair
		} else {
			front.Certificates = append(front.Certificates, sessions.NamedCertificate{Certificate: c.pair, Names: c.names})
		}
	}
	for i := range cfg.Clients {
		c, err := buildIdentity(&cfg.Clients[i], ownCAs[i])
		if err != nil {
			return front, err
		}
		if !files.Accepts(&cfg.Clients[i]) {
			if why := whyNot(cfg, files, &cfg.Clients[i]); why != "" {
				c.PSK = nil // which names nobody
				front.Others = append(front.Others, identity.Other{Client: &c.Client, Why: why})
			}
			continue
		}
		front.Clients = append(front.Clients, c)
	}
	return front, nil
}

// whyNot says why a front does not accept a client that another front with the same CAs does,
// where its peers may be looked for. It says "" of a client that no condition tells from others.
func whyNot(cfg *config.Config, here *frontMaterial, c *config.Client) string {
	if len(c.Networks) == 0 && !c.ByCertificate() && c.PSKIdentity == "" {
		return ""
	}
	for _, f := range cfg.Fronts() {
		switch {
		case !f.Accepts(c) || f.Listen.ClientCA != here.Listen.ClientCA:
		case !slices.Contains(c.Transports, here.Transport):
			return fmt.Sprintf("its transports do not have %q", here.Transport)
		default:
			return fmt.Sprintf("at the listener %q only: the clients of this one do not name it", f.Name)
		}
	}
	return ""
}

// buildIdentity translates the conditions that identify a client, and its limits. cas are
// its own CAs.
func buildIdentity(c *config.Client, cas []*x509.Certificate) (*sessions.Client, error) {
	t := &sessions.Client{Client: identity.Client{
		Name: c.Name, Networks: c.Networks, Fingerprints: c.Fingerprints,
		SANDNS: c.SANDNS, SANIP: c.SANIP.Addresses, SANIPSource: c.SANIP.Source, SANURI: c.SANURI,
		NAIRealms: c.SANNAIRealm, CA: cas, Subjects: c.Subject, Issuers: c.Issuer, CommonNames: c.CommonName,
		PSKIdentity: c.PSKIdentity, PSK: c.PSK.Bytes(),
	},
		MaxConnections: c.MaxConnections, PacketsPerSecond: c.PacketsPerSecond, OctetsPerSecond: c.OctetsPerSecond,
	}
	for _, text := range c.SubjectRDN {
		rdn, err := identity.ParseRDN(text)
		if err != nil {
			return nil, fmt.Errorf("client %q: subject_rdn: %w", c.Name, err)
		}
		t.SubjectRDNs = append(t.SubjectRDNs, rdn)
	}
	for _, text := range c.PolicyOID {
		oid, err := x509.ParseOID(text)
		if err != nil {
			return nil, fmt.Errorf("client %q: policy_oid %q: %w", c.Name, text, err)
		}
		t.PolicyOIDs = append(t.PolicyOIDs, oid)
	}
	return t, nil
}

func clientAuthOf(s string) identity.ClientAuth {
	switch s {
	case config.AuthOptional:
		return identity.OptionalCertificate
	case config.AuthNone:
		return identity.NoCertificate
	}
	return identity.RequireCertificate
}
