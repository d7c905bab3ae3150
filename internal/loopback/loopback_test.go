package loopback

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
)

func TestPort(t *testing.T) {
	port, err := Port(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
}

// TestRefusing: nobody reaches it, and nobody can take it.
func TestRefusing(t *testing.T) {
	address, giveBack, err := Refusing()
	if err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialled: %v %v", conn, err)
	}
	if ln, err := net.Listen("tcp", address); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listened: %v %v", ln, err)
	}
	if err := giveBack(); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
}
