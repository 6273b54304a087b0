package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"collimator/dimse"
	"collimator/internal/sender"
)

// peerWith is an archive on loopback that negotiates and does what a test says.
func peerWith(t *testing.T, mux *dimse.Mux, support dimse.Support) *sender.Peer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, support), nil
	}}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s.Shutdown(ctx)
		<-done
	})
	d, err := (&connectFlags{Peer: "PEER@" + l.Addr().String(), Plain: true, Timeout: 10 * time.Second}).peer()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// imageFiles writes n small images and reads what they are.
func imageFiles(t *testing.T, n int) []*sender.File {
	t.Helper()
	var files []*sender.File
	for range n {
		b, err := smallImage(nil)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "a.dcm")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := sender.Inspect(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}
