package archive

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"collimator/dicom/tag"
)

// killDir names the directory a copy of the test binary stores into until it
// is killed.
const killDir = "COLLIMATOR_ARCHIVE_KILL_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		fmt.Fprintln(os.Stderr, storeForever(dir, os.Getenv(killDir+"_ROUND")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// storeForever stores instances from four goroutines and writes a line for
// each that was acknowledged.
func storeForever(dir, round string) error {
	a, err := openIn(dir)
	if err != nil {
		return err
	}
	t := &testing.T{}
	lines := make(chan string)
	for g := range 4 {
		go func() {
			for i := 0; ; i++ {
				ds := image(t, g, 1, i)
				text(t, ds, tag.SOPInstanceUID, fmt.Sprintf("1.2.3.%d.%s.%d", g, round, i))
				r, err := a.Ingest(context.Background(), incoming(t, ds))
				if err != nil {
					lines <- "error " + err.Error()
					return
				}
				lines <- fmt.Sprintf("stored %s %s", r.Instance.SOPInstanceUID, r.Instance.Digest)
			}
		}()
	}
	for line := range lines {
		fmt.Println(line)
	}
	return nil
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out: killing processes takes a second or two")
	}
	dir := t.TempDir()
	acknowledged := map[string]string{}
	for round := range 5 {
		killRound(t, dir, round, acknowledged)
		checkRound(t, dir, acknowledged)
	}
	if len(acknowledged) < 50 {
		t.Errorf("only %d instances were stored", len(acknowledged))
	}
}

func killRound(t *testing.T, dir string, round int, acknowledged map[string]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killDir+"="+dir, fmt.Sprintf("%s_ROUND=%d", killDir, round))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(time.Minute, func() { cmd.Process.Kill() }).Stop()
	stored := 0
	for s := bufio.NewScanner(out); s.Scan(); {
		switch f := strings.Fields(s.Text()); {
		case len(f) == 3 && f[0] == "stored" && len(f[2]) == 64:
			acknowledged[f[1]] = f[2]
			// The others are in the middle of something.
			if stored++; stored == 12+round {
				cmd.Process.Kill()
			}
		case len(f) > 0 && f[0] == "error":
			t.Error(s.Text())
		}
	}
	cmd.Wait() // it was killed
}

func checkRound(t *testing.T, dir string, acknowledged map[string]string) {
	t.Helper()
	a, err := openIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	for uid, digest := range acknowledged {
		ref, err := a.Instance(t.Context(), uid, Everything())
		if err != nil || ref.Digest != digest {
			t.Errorf("an acknowledged instance is gone: %v", err)
		}
	}
	// Verify reads every file and counts every row; orphans younger than an hour
	// are in progress as far as it can tell.
	for p, err := range a.Verify(t.Context(), VerifyOptions{}) {
		t.Errorf("verify: %+v, %v", p, err)
	}
	left, err := a.SetAside(t.Context(), time.Now().Add(time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Stats(t.Context())
	if err != nil || int64(blobCount(t, a)) != s.Instances || s.Instances < int64(len(acknowledged)) {
		t.Errorf("%d files for %d instances after files were set aside, %d acknowledged, %v", blobCount(t, a), s.Instances, len(acknowledged), err)
	}
	t.Logf("%d acknowledged, %d stored, %d files set aside", len(acknowledged), s.Instances, left.SetAside)
}
