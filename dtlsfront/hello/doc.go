// Package hello answers ClientHellos without keeping anything (RFC 6347 §4.2.1): the first
// gets a HelloVerifyRequest with a cookie, and one that returns the cookie shows that its
// source address is its sender's.
//
//	hello.go   Parse reads a ClientHello; WithoutCookie and AppendVerifyRequest write
//	cookie.go  Cookies makes and checks the cookies
//
// A ClientHello must come in one record, and be the first of its datagram: to put fragments
// together needs memory before the cookie. No RADIUS client sends one that is larger than a
// datagram.
package hello
