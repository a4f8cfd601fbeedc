package gateway

import (
	"fmt"

	"radsec-gw/dynauth"
	"radsec-gw/relay"
)

// ofReverse observes something of the configuration of reverse CoA.
func ofReverse[T any](see func(*dynauth.Config) T) func(*Gateway) any {
	return func(g *Gateway) any { return see(g.current.Load().reverse) }
}

// ofSenders observes who may send CoA and Disconnect beside the servers.
func ofSenders(g *Gateway) any {
	list := g.current.Load().reverse.Senders
	text := fmt.Sprint(len(list))
	for _, s := range list {
		text += fmt.Sprint(s.Name, s.Networks, fmt.Sprintf("%p", s.Secret))
	}
	return len(text) > 3
}

// reverseChanges has the keys of reverse CoA.
func reverseChanges() map[string]keyChange {
	const sender = "[[dynamic_authorization.sender]]\nname = \"s\"\nnetworks = [\"192.0.2.0/24\"]\nsecret = \"of-the-sender\""
	added := func(keys string) string { return "[tap]\nsocket = \"tap.sock\"\n[dynamic_authorization]\n" + keys }
	const tap = "[tap]\nsocket = \"tap.sock\""
	flagged := func(key string) string { return "reverse_coa = true\n" + key }
	client := func(see func(*dynauth.ClientConfig) any) func(*Gateway) any {
		return ofPolicy(func(c *relay.ClientConfig) any { return see(c.Reverse) })
	}
	return map[string]keyChange{
		"Clients.ReverseCoA":          {"", "reverse_coa = true", client(func(c *dynauth.ClientConfig) any { return c.Reverse })},
		"Clients.NASIdentifier":       {"", flagged(`nas_identifier = ["ap"]`), client(func(c *dynauth.ClientConfig) any { return c.Identifiers })},
		"Clients.OperatorName":        {"", flagged(`operator_name = ["a.example"]`), client(func(c *dynauth.ClientConfig) any { return c.Operators })},
		"Clients.RulesReverseRequest": {"", flagged(`rules_reverse_request = ["r"]`), client(func(c *dynauth.ClientConfig) any { return c.Request != nil })},
		"Clients.RulesReverseReply":   {"", flagged(`rules_reverse_reply = ["r"]`), client(func(c *dynauth.ClientConfig) any { return c.Reply != nil })},

		"DynamicAuthorization.Address":                     {tap, added(`address = ["127.0.0.1:0"]`), func(g *Gateway) any { return len(g.current.Load().dynamic) }},
		"DynamicAuthorization.Timeout":                     {tap, added(`timeout = "7s"`), ofReverse(func(c *dynauth.Config) any { return c.Timeout })},
		"DynamicAuthorization.RequireMessageAuthenticator": {tap, added(`require_message_authenticator = true`), ofReverse(func(c *dynauth.Config) any { return c.RequireMA })},
		"DynamicAuthorization.MaxLearned":                  {tap, added(`max_learned = 1000`), ofReverse(func(c *dynauth.Config) any { return c.MaxLearned })},
		"DynamicAuthorization.LearnedLifetime":             {tap, added(`learned_lifetime = "1h"`), ofReverse(func(c *dynauth.Config) any { return c.Lifetime })},
		"DynamicAuthorization.Senders.Name":                {tap, added(sender), ofSenders},
		"DynamicAuthorization.Senders.Networks":            {tap, added(sender), ofSenders},
		"DynamicAuthorization.Senders.Secret":              {tap, added(sender), ofSenders},
	}
}
