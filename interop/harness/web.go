package harness

import (
	"context"
	"log"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/pacs"
)

// WebRoot is the path of the studies service.
const WebRoot = "/dicom-web"

// Web is an archive behind DICOMweb on loopback, in this process and without
// a guard.
type Web struct {
	URL     string // of the studies service
	Archive *archive.Archive
	Client  *dicomweb.Client
	log     *Buffer
}

// StartWeb opens an archive of its own. It ends with the test, which fails where
// the server logged patient data.
func StartWeb(t testing.TB) *Web {
	t.Helper()
	dir := t.TempDir()
	d, err := db.Open(context.Background(), db.Options{Path: filepath.Join(dir, "collimator.db")})
	if err != nil {
		t.Fatal(err)
	}

	b, err := blob.OpenDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}

	a, err := archive.Open(archive.Options{DB: d, Blobs: b})
	if err != nil {
		t.Fatal(err)
	}

	w := &Web{Archive: a, log: &Buffer{}}
	s := httptest.NewUnstartedServer(dicomweb.NewHandler(&pacs.Web{Archive: a}, everything, dicomweb.Options{Root: WebRoot, TempDir: dir}))
	s.Config.ErrorLog = log.New(w.log, "", 0)
	s.Start()
	w.URL = s.URL + WebRoot
	w.Client = &dicomweb.Client{Base: w.URL, HTTP: s.Client()}
	t.Cleanup(func() {
		s.Close()
		d.Close()
		b.Close()
		if out := w.log.String(); out != "" {
			t.Errorf("the server logged: %.500s", out)
		}
	})
	return w
}

// everything lets every request through, and it may see everything.
func everything(ctx context.Context, call *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
	call.Restriction = archive.Everything()
	return dicomweb.Unguarded(ctx, call, next)
}
