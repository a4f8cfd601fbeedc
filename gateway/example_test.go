package gateway_test

import (
	"context"
	"fmt"
	"log"

	"radsec-gw/gateway"
)

func Example() {
	p, err := gateway.Load(context.Background(), "/etc/radsec-gw/radsec-gw.toml")
	if err != nil {
		log.Fatal(err) // a mistake per line
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	g, err := gateway.Start(ctx, p, gateway.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("RadSec on", g.Addr(), "metrics on", g.MetricsAddr())

	g.Drain() // or cancel, to end at once
	if err := g.Wait(); err != nil {
		log.Fatal(err)
	}
}
