//go:build interop

package interop_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/interop/harness"
)

// The witness of an attack is another device: a process of its own, so that what
// it measures is the server's time and not that of the attackers beside it.
const (
	witnessServer = "COLLIMATOR_WITNESS_SERVER" // host:port
	witnessFiles  = "COLLIMATOR_WITNESS_FILES"  // the directory with its certificate and key
)

// storedImage is one image of the witness, on an association of its own.
type storedImage struct {
	Study     string
	Connect   time.Duration // until TCP is there
	Handshake time.Duration // until TLS is
	Associate time.Duration // until the association is accepted
	Store     time.Duration // until the status of the image, which is on the disk then
}

func (s storedImage) open() time.Duration { return s.Connect + s.Handshake + s.Associate }

// TestDeviceThatStoresMeanwhile is the process of the witness: it stores an image
// and says how long each step took, a line each, until its input ends.
func TestDeviceThatStoresMeanwhile(t *testing.T) {
	server := os.Getenv(witnessServer)
	if server == "" {
		t.Skip("left out: the process of another device, which the attack starts")
	}
	keys, err := keysOf(os.Getenv(witnessFiles), witness)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // ends with the attack, which closes its end
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()

	to := json.NewEncoder(os.Stdout)
	for {
		s, err := storeOne(t, server, keys)
		if err != nil {
			t.Fatal(err)
		}
		if err := to.Encode(s); err != nil {
			t.Fatal(err)
		}

		select {
		case <-ended:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// storeOne stores a study of one image.
func storeOne(t *testing.T, server string, keys *tls.Config) (s storedImage, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	began := time.Now()
	lap := func() time.Duration {
		took := time.Since(began)
		began = time.Now()
		return took
	}

	conn, err := new(net.Dialer).DialContext(ctx, "tcp", server)
	if err != nil {
		return s, err
	}
	s.Connect = lap()

	secured := tls.Client(conn, keys)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return s, err
	}
	s.Handshake = lap()

	to, err := dimse.Open(ctx, secured, dimse.Config{CallingAETitle: witness, CalledAETitle: harness.AETitle,
		Contexts: dimse.Propose([]string{uid.SecondaryCaptureImageStorage}, []string{uid.ExplicitVRLittleEndian}, false)})
	if err != nil {
		return s, err
	}
	defer to.Abort()
	s.Associate = lap()

	s.Study = uid.New()
	ds := harness.Instance{Study: s.Study, Pixels: 4 << 10}.DataSet(t)
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		return s, err
	}
	lap()
	if _, err := to.Store(ctx, dimse.StoreRequest{SOPClassUID: uid.SecondaryCaptureImageStorage, SOPInstanceUID: ds.Text(tag.SOPInstanceUID), TransferSyntax: uid.ExplicitVRLittleEndian, Data: &b}); err != nil {
		return s, err
	}
	s.Store = lap()

	return s, to.Release(ctx)
}

// witnessed is what another device saw.
type witnessed []storedImage

// serveAnother has the witness store until ctx ends, and keeps what was
// acknowledged.
func (a *attack) serveAnother(ctx context.Context) (seen witnessed) {
	a.Helper()
	process := exec.Command(os.Args[0], "-test.run=^TestDeviceThatStoresMeanwhile$", "-test.count=1")
	process.Env = append(os.Environ(), witnessServer+"="+a.s.Address, witnessFiles+"="+a.files[witness])
	process.Stderr = os.Stderr
	in, err := process.StdinPipe()
	if err != nil {
		a.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		a.Fatal(err)
	}
	if err := process.Start(); err != nil {
		a.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { in.Close() })
	defer stop()

	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var s storedImage
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			said = append(said, lines.Text())
			continue
		}
		a.acknowledged[s.Study] = true
		seen = append(seen, s)
	}
	if err := process.Wait(); err != nil {
		a.Errorf("another device is not served: %v\n%s", err, strings.Join(said, "\n"))
	}
	return seen
}

// longest is the longest wait for an association or a status.
func (w witnessed) longest() (most time.Duration) {
	for _, s := range w {
		most = max(most, s.open(), s.Store)
	}
	return most
}

// String says of each step how long it took, and how often longer than a second.
func (w witnessed) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d images stored\n", len(w))
	for _, step := range []struct {
		name string
		took func(storedImage) time.Duration
	}{
		{"association", storedImage.open},
		{"  connection", func(s storedImage) time.Duration { return s.Connect }},
		{"  TLS", func(s storedImage) time.Duration { return s.Handshake }},
		{"  acceptance", func(s storedImage) time.Duration { return s.Associate }},
		{"status", func(s storedImage) time.Duration { return s.Store }},
	} {
		list := make([]time.Duration, len(w))
		late := 0
		for i, s := range w {
			list[i] = step.took(s)
			if list[i] > time.Second {
				late++
			}
		}
		if len(list) == 0 {
			continue
		}
		slices.Sort(list)
		at := func(share float64) time.Duration {
			return list[int(share*float64(len(list)-1))].Round(time.Millisecond)
		}
		fmt.Fprintf(&b, "%-14s median %v, 99 of 100 within %v, at most %v, %d times longer than a second\n", step.name, at(0.5), at(0.99), at(1), late)
	}
	return b.String()
}
