package sitetest

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/internal/config"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// Web is the HTTPS side of serve, without TLS, over an archive with two
// studies of two patients.
type Web struct {
	*testing.T
	In  *house.Installation
	URL string
	Log *bytes.Buffer
}

// NewWeb opens an installation and serves it.
func NewWeb(t *testing.T, change ...func(*config.Config)) *Web {
	t.Helper()

	c := config.Default()
	for _, f := range change {
		f(&c)
	}
	c.Data = filepath.Join(t.TempDir(), "data")

	in := Open(t, c)
	w := &Web{T: t, In: in, Log: &bytes.Buffer{}}
	s, err := house.NewServer(in, slog.New(slog.NewTextHandler(w.Log, nil)))
	if err != nil {
		t.Fatal(err)
	}

	if err := in.Registry.AddPerson(t.Context(), "root", identity.Administrator, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	for i := range 6 { // studies 2.25.70 and 2.25.71
		Ingest(t, s.Archive, i, byte(i))
	}

	h := httptest.NewServer(s.Handler())
	w.URL = h.URL

	t.Cleanup(func() {
		h.Close()
		if strings.Contains(w.Log.String(), "ZZPHI") {
			t.Error("the log holds patient data")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})

	return w
}

// Token registers a person, with the study 2.25.70 granted, and makes a token.
func (w *Web) Token(role policy.Role, verbs []policy.Verb, studies ...string) (id, secret string) {
	w.Helper()
	name := fmt.Sprintf("%s-%d", role, time.Now().UnixNano())
	if err := w.In.Registry.AddPerson(w.Context(), name, string(role), "correct horse battery"); err != nil {
		w.Fatal(err)
	}
	if err := w.In.Registry.GrantStudy(w.Context(), name, "2.25.70"); err != nil {
		w.Fatal(err)
	}

	t, secret, err := w.In.Registry.CreateToken(w.Context(), name, verbs, studies, time.Hour)
	if err != nil {
		w.Fatal(err)
	}
	return t.ID, secret
}

// Do makes a request and returns status and body.
func (w *Web) Do(method, path, token string, body io.Reader, contentType string) (int, string) {
	w.Helper()
	rq, err := http.NewRequestWithContext(w.Context(), method, w.URL+path, body)
	if err != nil {
		w.Fatal(err)
	}
	if token != "" {
		rq.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		rq.Header.Set("Content-Type", contentType)
	}

	rsp, err := http.DefaultClient.Do(rq)
	if err != nil {
		w.Fatal(err)
	}
	defer rsp.Body.Close()

	b, err := io.ReadAll(rsp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return rsp.StatusCode, string(b)
}
