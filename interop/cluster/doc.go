// Package cluster has tests of several gateways that share through NATS, with real programs: three
// gateways, three NATS servers with JetStream, and a FreeRADIUS each for logins and accounting.
// A gateway is killed with its disk, servers send CoA to gateways that do not have the NAS, and
// all NATS servers are killed and started again.
//
//	bed_test.go      the gateways
//	nas_test.go      a NAS: logins, accounting, answers to CoA
//	sender_test.go   who sends CoA
//	load_test.go     NASes that go on with another gateway when theirs is lost
//	lost_test.go     a gateway is killed with its disk
//	coa_test.go      CoA through another gateway
//	without_test.go  the NATS servers are killed
package cluster
