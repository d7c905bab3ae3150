package demo

import (
	"context"
	"net"
)

// Addresses are the four the gateway listens on.
type Addresses struct {
	Postgres, HTTP, Console, Metrics string // host:port
}

// Usual are the addresses the documentation names, each replaced by a free
// port of the loopback when somebody has it.
func Usual(ctx context.Context) Addresses {
	return Addresses{
		Postgres: freeOr(ctx, "127.0.0.1:6432"),
		HTTP:     freeOr(ctx, "127.0.0.1:8080"),
		Console:  freeOr(ctx, "127.0.0.1:8089"),
		Metrics:  freeOr(ctx, "127.0.0.1:9464"),
	}
}

// Free leaves the choice of all four ports to the system.
func Free() Addresses {
	const free = "127.0.0.1:0"
	return Addresses{Postgres: free, HTTP: free, Console: free, Metrics: free}
}

// freeOr is the address if it can be listened on, else one with port 0.
func freeOr(ctx context.Context, address string) string {
	var listen net.ListenConfig
	ln, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return "127.0.0.1:0"
	}
	_ = ln.Close()
	return address
}
