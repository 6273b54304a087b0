package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
)

// TestCommands runs testdata/*.txtar: each is what somebody types at a terminal, with what comes back.
func TestCommands(t *testing.T) {
	t.Parallel()
	keyFile := filepath.Join(t.TempDir(), "key")
	key, err := sitetest.OneKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keyFile, x509.MarshalPKCS1PrivateKey(key), 0o600); err != nil {
		t.Fatal(err)
	}

	ctx := t.Context()
	if end, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-5*time.Second))
		t.Cleanup(cancel)
	}

	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			for _, name := range []string{"DICOM", "PLAIN", "HTTP"} {
				address, err := sitetest.FreeAddress()
				if err != nil {
					return err
				}
				e.Setenv(name, address)
			}
			e.Setenv("TZ", "UTC")
			e.Setenv(testKey, keyFile)

			w, err := newWorker(ctx, e)
			if err != nil {
				return err
			}
			e.Values[workerOf{}] = w
			e.Defer(func() {
				if err := w.close(); err != nil {
					t.Error(err)
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			commandName: scriptCommand, "code": scriptCode,
			"rsakey": scriptRSAKey, "dicomfile": scriptDICOMFile, "listening": scriptListening, "truncate": scriptTruncate,
			"certificate": scriptCertificate, "hangup": scriptHangup, "datadir": scriptDataDir, "waitfor": scriptWaitFor,
			"until": scriptUntil, "written": scriptWritten,
		},
	})
}

// testKey names the file with the key that commands of scripts hand out.
const testKey = "COLLIMATOR_TEST_KEY"

// cheaply lets a command of a script do what sitetest.Open does in process: passwords
// are hashed in no time, and all that it issues has one key. A server sees soon what
// another command changed.
func cheaply(in *house.Installation) error {
	path := os.Getenv(testKey)
	if path == "" {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	key, err := x509.ParsePKCS1PrivateKey(b)
	if err != nil {
		return err
	}

	in.Registry.InsecureWeakHashes()
	in.Authority.InsecureOneKey(key)
	in.LookEvery = 50 * time.Millisecond
	return nil
}

// scriptListening waits until somebody accepts connections: listening ADDRESS.
func scriptListening(ts *testscript.TestScript, neg bool, args []string) {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", args[0])
		if err == nil {
			conn.Close()
		}
		if (err != nil) == neg {
			return
		}
	}
	ts.Fatalf("%s: waited too long", args[0])
}

// scriptWaitFor waits until so many files lie in a directory: waitfor NUMBER DIR.
func scriptWaitFor(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		entries, err := os.ReadDir(ts.MkAbs(args[1]))
		if err == nil && fmt.Sprint(len(entries)) == args[0] {
			return
		}
	}
	ts.Fatalf("%s: waited too long", args[1])
}

// scriptUntil runs a command until it ends with a code: until NUMBER collimator args...
func scriptUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || args[1] != commandName {
		ts.Fatalf("usage: until NUMBER collimator args...")
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if code := ts.Value(workerOf{}).(*worker).do(ts, args[2:]); fmt.Sprint(code) == args[0] {
			return
		}
	}
	ts.Fatalf("waited too long for exit code %s", args[0])
}

// scriptWritten waits until something stands in a file that is being written: written FILE.
func scriptWritten(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Size() > 0 {
			return
		}
	}
	ts.Fatalf("waited too long for %s", args[0])
}

// scriptCertificate makes a certificate for localhost: certificate CERT KEY.
func scriptCertificate(ts *testscript.TestScript, _ bool, args []string) {
	cert, key, err := sitetest.SelfSigned(time.Now().UnixNano())
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), cert, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), key, 0o600))
}

// scriptDataDir lays out a data directory as a first start leaves it, with nobody in
// it: datadir DIR. Making one is most of what a first start costs.
func scriptDataDir(ts *testscript.TestScript, _ bool, args []string) {
	content, err := sitetest.Made()
	ts.Check(err)
	ts.Check(content.Lay(ts.MkAbs(args[0])))
}

// scriptHangup sends SIGHUP to what runs in the background.
func scriptHangup(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGHUP))
	}
}

// scriptTruncate takes bytes off the end of a file: truncate FILE NUMBER.
func scriptTruncate(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	info, err := os.Stat(path)
	ts.Check(err)
	var n int64
	_, err = fmt.Sscan(args[1], &n)
	ts.Check(err)
	ts.Check(os.Truncate(path, info.Size()-n))
}

// scriptDICOMFile writes a small image: dicomfile FILE Keyword=value...
func scriptDICOMFile(ts *testscript.TestScript, _ bool, args []string) {
	b, err := smallImage(args[1:])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// smallImage is a Part 10 file of one kilobyte of pixels, marked ZZPHI.
func smallImage(set []string) ([]byte, error) {
	ds := dicom.NewDataSet()
	for _, pair := range append([]string{
		"SOPClassUID=" + uid.SecondaryCaptureImageStorage, "SOPInstanceUID=" + uid.New(), "StudyInstanceUID=" + uid.New(), "SeriesInstanceUID=" + uid.New(),
		"PatientName=ZZPHI^TEST", "PatientID=ZZPHI-1", "PatientBirthDate=19700102", "StudyDate=20260102", "StudyTime=101112", "Modality=OT",
		"StudyDescription=ZZPHI description", "ConversionType=WSD", "PhotometricInterpretation=MONOCHROME2", "InstanceNumber=1", "SeriesNumber=1",
	}, set...) {
		name, value, _ := strings.Cut(pair, "=")
		t, err := tag.Parse(name)
		if err != nil {
			return nil, err
		}
		if err := ds.SetText(t, value); err != nil {
			return nil, err
		}
	}
	for t, v := range map[dicom.Tag]int64{
		tag.SamplesPerPixel: 1, tag.Rows: 32, tag.Columns: 32, tag.BitsAllocated: 8, tag.BitsStored: 8, tag.HighBit: 7, tag.PixelRepresentation: 0,
	} {
		if err := ds.SetInt(t, v); err != nil {
			return nil, err
		}
	}
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, bytes.Repeat([]byte{1, 2}, 512)))
	var b bytes.Buffer
	b.Write(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID), TransferSyntaxUID: uid.ExplicitVRLittleEndian,
		ImplementationClassUID: "2.25.1",
	}))
	err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian)
	return b.Bytes(), err
}
