package probe

// errorCauseMeaning returns what an Error-Cause (RFC 5176 §3.6) means to a client of the gateway.
func errorCauseMeaning(cause uint32) string {
	meanings := map[uint32]string{
		201: "Residual Session Context Removed: the session no longer exists",
		202: "Invalid EAP Packet (Ignored)",
		401: "Unsupported Attribute: the server cannot act on an attribute of the request",
		402: "Missing Attribute: the request lacks one that the server needs",
		403: "NAS Identification Mismatch: the request is meant for another NAS",
		404: "Invalid Request",
		405: "Unsupported Service",
		406: "Unsupported Extension: requests of this kind are not allowed or not supported here",
		407: "Invalid Attribute Value",
		501: "Administratively Prohibited: the server's policy refused it",
		502: "Request Not Routable: no route serves this realm and kind of request",
		503: "Session Context Not Found: there is no such session",
		504: "Session Context Not Removable",
		505: "Other Proxy Processing Error",
		506: "Resources Unavailable: try again later",
		507: "Request Initiated",
		508: "Multiple Session Selection Unsupported",
		601: "Response Too Big: the answer does not fit into 4096 octets",
	}
	if m, ok := meanings[cause]; ok {
		return m
	}
	return "not a registered cause that this version knows"
}
