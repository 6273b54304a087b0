//go:build interop

package interop_test

import (
	"collimator/dicom/tag"
	"collimator/interop/harness"
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// check starts the archive from what the disk holds.
func (r *cutRound) check(t *testing.T, data string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(data, "index.db")); err != nil {
		if len(r.images)+len(r.changes) > 0 {
			r.problem("the data directory is gone, with %d acknowledged images", len(r.images))
			return
		}
	} else if text, code := harness.Run(t, "verify", "--data", data); code != 0 {
		r.problem("verify: %s", last(text))
	}
	s := harness.Launch(t, data)
	defer func() {
		r.after = s.Output()
		s.Strike()
		s.Kill()
	}()
	if !s.Listens(20 * time.Second) {
		r.problem("the archive does not start again: %s", last(s.Output()))
		return
	}
	r.checkImages(t, s)
	r.checkChanges(t, s)
}

// last is the end of what a program said.
func last(text string) string { return text[max(len(text)-400, 0):] }

// checkImages fetches every acknowledged image and holds it against what was sent.
func (r *cutRound) checkImages(t *testing.T, s *harness.Server) {
	t.Helper()
	if len(r.images) == 0 {
		return
	}
	studies := map[string]bool{}
	for _, path := range r.images {
		studies[harness.ReadFile(t, path).DataSet.Text(tag.StudyInstanceUID)] = true
	}
	var list []string
	for study := range studies {
		list = append(list, study)
	}
	out := t.TempDir()
	if text, code := harness.Run(t, "get", s.Peer(), "--as", r.keys, "--study", strings.Join(list, ","), "--out", out); code != 0 {
		r.problem("get: exit code %d: %s", code, last(text))
	}
	got := map[string]string{}
	for _, path := range harness.Files(t, out) {
		got[harness.ReadFile(t, path).DataSet.Text(tag.SOPInstanceUID)] = path
	}
	lost, changed := 0, 0
	for _, path := range r.images {
		want := harness.ReadFile(t, path).DataSet
		name, ok := got[want.Text(tag.SOPInstanceUID)]
		switch {
		case !ok:
			lost++
		case !harness.ReadFile(t, name).DataSet.Equal(want):
			changed++
		}
	}
	if lost+changed > 0 {
		r.problem("of %d acknowledged images %d are lost and %d changed", len(r.images), lost, changed)
	}
}

// checkChanges looks that what was taken away stays so.
func (r *cutRound) checkChanges(t *testing.T, s *harness.Server) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for _, c := range r.changes {
		switch c[0] {
		case "device":
			if _, code := harness.Run(t, "echo", s.Peer(), "--as", r.site.devices[c[1]]); code == 0 {
				r.problem("the removed device %s comes in again", c[1])
			}
		case "token":
			rq, err := http.NewRequest("GET", "https://"+s.HTTP+harness.WebRoot+"/studies?limit=1", nil)
			if err != nil {
				t.Fatal(err)
			}
			rq.Header.Set("Authorization", "Bearer "+r.site.tokens[c[1]])
			a, err := client.Do(rq)
			if err != nil {
				t.Fatal(err)
			}
			a.Body.Close()
			if a.StatusCode != http.StatusUnauthorized {
				r.problem("a revoked token is answered with %d", a.StatusCode)
			}
		case "study":
			if text, _ := harness.Run(t, "find", s.Peer(), "--as", r.keys, "StudyInstanceUID="+c[1], "-o", "uids"); strings.Contains(text, c[1]) {
				r.problem("a deleted study is back")
			}
		}
	}
}
