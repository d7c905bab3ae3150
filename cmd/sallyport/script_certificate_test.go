package main

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func runCertificates(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: certificates PREFIX")
	}
	worldOf(ts).certify(args[0])
}

// sslRequest asks a Postgres listener for TLS.
// PostgreSQL 17, protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST.
var sslRequest = []byte{0, 0, 0, 8, 4, 210, 22, 47}

func runPresented(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: presented FILE")
	}
	block, _ := pem.Decode([]byte(ts.ReadFile(args[0])))
	if block == nil {
		ts.Fatalf("%s holds no certificate", args[0])
	}
	for _, l := range []struct {
		name string
		asks []byte
	}{{"POSTGRES", sslRequest}, {"HTTP", nil}} {
		var shown []byte
		var err error
		if !eventually(func() bool {
			shown, err = presented(ts.Getenv(l.name), l.asks)
			return err == nil && bytes.Equal(shown, block.Bytes)
		}) {
			ts.Fatalf("the listener %s shows another certificate: %v", l.name, err)
		}
	}
}

// presented is the certificate that a listener shows to a new connection.
func presented(address string, asks []byte) ([]byte, error) {
	conn, err := net.DialTimeout("tcp", address, 20*time.Second)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if asks != nil {
		if _, err := conn.Write(asks); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			return nil, err
		}
	}
	secured := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // it is compared, whoever vouches for it
	if err := secured.Handshake(); err != nil {
		return nil, err
	}
	return secured.ConnectionState().PeerCertificates[0].Raw, nil
}
