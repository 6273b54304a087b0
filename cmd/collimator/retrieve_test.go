package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"collimator/dimse"
	"collimator/internal/sender"
)

// runAgainst runs a command of the program against a peer without TLS.
func runAgainst(t *testing.T, address string, args ...string) (out, problem string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{args[0], "PEER@" + address, "--plain"}, args[1:]...)
	code = run(args, &env{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, ctx: t.Context()})
	if strings.Contains(stderr.String(), "ZZPHI") {
		t.Errorf("an error holds patient data: %s", &stderr)
	}
	return stdout.String(), stderr.String(), code
}

// dataSetOf is the part of a file that goes over the wire.
func dataSetOf(t *testing.T, f *sender.File) []byte {
	t.Helper()
	b, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	return b[f.Offset:]
}

func TestGetCountsWhatIsOnDiskAndNotWhatThePeerSays(t *testing.T) {
	t.Parallel()
	counts := func(completed, failed uint16) *dimse.SubOperations {
		return &dimse.SubOperations{Completed: completed, Failed: failed}
	}
	for name, tc := range map[string]struct {
		objects int
		twice   bool
		final   *dimse.SubOperations
		out     string
		problem string
		code    int
	}{
		"no counts":          {1, false, nil, "1 received in ", "", exitOK},
		"right counts":       {2, false, counts(2, 0), "2 received in ", "", exitOK},
		"counts nothing":     {1, false, counts(0, 0), "1 received in ", "the peer counts 0 sent; 1 were written", exitPartial},
		"one object twice":   {1, true, counts(2, 0), "1 received in ", "the peer counts 2 sent; 1 were written", exitPartial},
		"claims a hundred":   {0, false, counts(100, 0), "0 received in ", "the peer counts 100 sent; 0 were written", exitPartial},
		"some failed":        {1, false, counts(1, 3), "1 received in ", "3 of the instances failed", exitPartial},
		"nothing":            {0, false, counts(0, 0), "0 received in ", "nothing matches", exitFailure},
		"nothing, no counts": {0, false, nil, "0 received in ", "nothing matches", exitFailure},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := imageFiles(t, tc.objects)
			peer := newOddPeer(t, func(a *oddAssociation, rq *dimse.Command) {
				if a.refuses(rq) {
					return
				}
				for _, f := range files {
					a.store(f, dataSetOf(t, f))
					if tc.twice {
						a.store(f, dataSetOf(t, f))
					}
				}
				a.respond(rq, dimse.Success, tc.final)
			})

			dir := t.TempDir()
			out, problem, code := peer.run("get", "--study", "1.2.3", "--out", dir)
			if code != tc.code || !strings.HasPrefix(out, tc.out) || !strings.Contains(problem, tc.problem) {
				t.Errorf("code %d, want %d\n%s%s", code, tc.code, out, problem)
			}
			if got, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*.dcm")); len(got) != tc.objects {
				t.Errorf("%d files, want %d", len(got), tc.objects)
			}
		})
	}
}

func TestGetTellsWhatIsOnDiskAfterAnAbort(t *testing.T) {
	t.Parallel()
	files := imageFiles(t, 3)
	peer := newOddPeer(t, func(a *oddAssociation, rq *dimse.Command) {
		if a.refuses(rq) {
			return
		}
		for _, f := range files {
			a.store(f, dataSetOf(t, f))
		}
		a.respond(rq, dimse.Pending, &dimse.SubOperations{Completed: 3, Remaining: 9})
		a.conn.Close()
	})
	out, problem, code := peer.run("get", "--study", "1.2.3", "--out", t.TempDir())
	if code != exitPartial || !strings.HasPrefix(out, "3 received in ") || !strings.Contains(problem, "what came before is on disk") {
		t.Errorf("code %d\n%s%s", code, out, problem)
	}
}

func TestMoveBelievesAPeerThatGivesNoNumbers(t *testing.T) {
	t.Parallel()
	peer := newOddPeer(t, func(a *oddAssociation, rq *dimse.Command) {
		a.respond(rq, dimse.Pending, &dimse.SubOperations{Remaining: 2})
		a.respond(rq, dimse.Success, nil)
	})
	out, problem, code := peer.run("move", "--study", "1.2.3", "--to", "WS2")
	if code != exitOK || out != "Moving to WS2 is done; the peer gives no numbers.\n" || problem != "" {
		t.Errorf("code %d\n%s%s", code, out, problem)
	}
}

// pendingForever answers with pending responses whatever it is asked.
func pendingForever(a *oddAssociation, rq *dimse.Command) {
	if rq.Operation == dimse.CCancel {
		return
	}
	go func() { // ends with the connection
		for a.respond(rq, dimse.Pending, &dimse.SubOperations{Remaining: 1}) {
			time.Sleep(10 * time.Millisecond)
		}
	}()
}

// interruption is a retrieval from a peer that goes on for ever, and how it is ended.
type interruption struct {
	name    string
	args    []string
	signals int
	most    time.Duration
}

// The retrievals run at once: most of their time each waits for the peer.
func TestAnInterruptedRetrievalEndsThoughThePeerGoesOn(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for _, tc := range []interruption{
		{"get", []string{"--study", "1.2.3"}, 1, 15 * time.Second},
		{"move", []string{"--study", "1.2.3", "--to", "WS2"}, 1, 15 * time.Second},
		{"find", nil, 1, 15 * time.Second},
		{"move", []string{"--study", "1.2.3", "--to", "WS2"}, 2, 4 * time.Second},
	} {
		peer := newOddPeer(t, func(a *oddAssociation, rq *dimse.Command) {
			if tc.name == "get" && a.refuses(rq) {
				return
			}
			pendingForever(a, rq)
		})
		if tc.name == "get" {
			tc.args = append(tc.args, "--out", t.TempDir())
		}
		wg.Go(func() { tc.run(t, peer) })
	}
	wg.Wait()
}

// run starts the command, interrupts it when its request came, and sees it end in time.
func (tc interruption) run(t *testing.T, peer *oddPeer) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "collimator", append([]string{tc.name, "PEER@" + peer.address, "--plain"}, tc.args...)...)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return
	}

	operation := map[string]dimse.Operation{"get": dimse.CGet, "move": dimse.CMove, "find": dimse.CFind}[tc.name]
	for ctx.Err() == nil && !peer.came(operation) {
		time.Sleep(10 * time.Millisecond)
	}
	start := time.Now()
	cmd.Process.Signal(os.Interrupt)
	if tc.signals == 2 {
		for ctx.Err() == nil && !peer.came(dimse.CCancel) { // the first one was understood
			time.Sleep(10 * time.Millisecond)
		}
		cmd.Process.Signal(syscall.SIGINT)
	}
	cmd.Wait()

	if took := time.Since(start); took > tc.most {
		t.Errorf("%s ended %s after %d signals, want at most %s", tc.name, took, tc.signals, tc.most)
	}
	if cmd.ProcessState.ExitCode() == exitOK {
		t.Errorf("%s ended as if all had come", tc.name)
	}
	if tc.name != "find" && !peer.came(dimse.CCancel) {
		t.Errorf("%s sent no C-CANCEL", tc.name)
	}
}
