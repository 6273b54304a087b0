package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/fault"
)

// behind is the old PACS: Debian's Orthanc, set to answer everybody as many are, or where that is not installed
// a stand-in of this program that keeps nothing.
type behind struct {
	address string
	web     string // address of the pages of Orthanc; empty for the stand-in
	close   func()
}

// orthancStarts is how long Orthanc may take until it listens.
const orthancStarts = 20 * time.Second

func openBehind(ctx context.Context, dir string) (*behind, error) {
	address, err := freeAddress("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if program, err := exec.LookPath("Orthanc"); err == nil {
		return startOrthanc(ctx, program, dir, address)
	}
	return standIn(ctx, address)
}

// startOrthanc runs Orthanc on loopback, with its data in a directory that goes away.
func startOrthanc(ctx context.Context, program, dir, address string) (*behind, error) {
	web, err := freeAddress("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	settings, err := json.Marshal(map[string]any{
		"Name": "old PACS of the demonstration", "StorageDirectory": dir, "IndexDirectory": dir, "DicomAet": pacsTitle,
		"DicomPort": portOf(address), "HttpPort": portOf(web), "RemoteAccessAllowed": false, "Plugins": []string{},
		"DicomAlwaysAllowFind": true, "DicomAlwaysAllowGet": true, "DicomAlwaysAllowMove": true,
	})
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	file := filepath.Join(dir, "orthanc.json")
	if err := os.WriteFile(file, settings, 0o600); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}

	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	cmd := exec.CommandContext(run, program, file)
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	if err := cmd.Start(); err != nil {
		stop()
		return nil, fmt.Errorf("demo: Orthanc: %w", err)
	}
	b := &behind{address: address, web: "http://" + web + "/", close: func() {
		stop()
		_ = cmd.Wait() // it was ended
	}}
	if !listens(ctx, address, orthancStarts) {
		b.close()
		return nil, fault.New(fault.Unavailable, "demo: Orthanc does not listen")
	}
	return b, nil
}

// listens waits until somebody listens.
func listens(ctx context.Context, address string, most time.Duration) bool {
	ctx, end := context.WithTimeout(ctx, most)
	defer end()
	for ctx.Err() == nil {
		if c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address); err == nil {
			_ = c.Close()
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	return false
}

func portOf(address string) int {
	_, port, _ := net.SplitHostPort(address) // it was listened to
	n, _ := strconv.Atoi(port)
	return n
}

// standIn takes every association and every object, as an old PACS does, and keeps none: nothing is ever found.
func standIn(ctx context.Context, address string) (*behind, error) {
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleEcho(nil)
	mux.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		if _, err := io.Copy(io.Discard, rq.Data); err != nil {
			return dimse.ProcessingFailure.Because(err)
		}
		return dimse.Status{}
	})
	mux.HandleFind(func(context.Context, *dimse.Association, *dimse.FindRequest, func(dimse.Match) bool) dimse.Status {
		return dimse.Status{}
	}, uid.StudyRootFind)
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}

	server := &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, standInTakes()), nil
	}}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(run, ln) }() // until close
	return &behind{address: address, close: func() {
		stop()
		<-ended
	}}, nil
}

// standInTakes are storage and the search of the study root.
func standInTakes() dimse.Support {
	s := dimse.AcceptStorage()
	storage := s.TransferSyntaxes
	s.TransferSyntaxes = func(abstractSyntax string) []string {
		if abstractSyntax == uid.StudyRootFind {
			return uid.NativeSyntaxes()
		}
		return storage(abstractSyntax)
	}
	return s
}
