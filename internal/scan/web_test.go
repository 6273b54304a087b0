package scan

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"collimator/internal/finding"
)

func webService(t *testing.T, address string, handler http.HandlerFunc) {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(handler)
	s.Listener.Close()
	s.Listener = ln
	s.Start()
	t.Cleanup(s.Close)
}

func issuesOf(t *testing.T, opt Options, target string) map[string]finding.Issue {
	t.Helper()
	opt.Targets = targets(t, target)
	r := run(t, opt)
	out := map[string]finding.Issue{}
	for _, i := range r.Issues() {
		out[i.Check] = i
	}
	return out
}

func TestWebProductsAreAskedOnlyWhatTheyCanAnswerWithoutHarm(t *testing.T) {
	t.Parallel()
	var posts atomic.Int64
	webService(t, "127.90.20.1:8080", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			posts.Add(1)
			if r.ContentLength != 0 || r.Header.Get("Content-Type") != "application/x-collimator-probe" {
				t.Errorf("POST %s with %d bytes", r.URL.Path, r.ContentLength)
			}
			w.WriteHeader(http.StatusUnsupportedMediaType)
		case r.URL.Path == "/":
			w.Write([]byte("<title>Mirth Connect Administrator</title>"))
		case r.URL.Path == "/api/server/version":
			w.Write([]byte("4.4.0"))
		case r.URL.Path == "/metadata":
			w.Write([]byte(`{"resourceType":"CapabilityStatement"}`))
		case r.URL.Path == "/ImagingStudy" && r.URL.Query().Get("_summary") == "count":
			w.Write([]byte(`{"resourceType":"Bundle","total":0}`))
		case strings.HasSuffix(r.URL.Path, "/dicomweb/studies") && strings.HasPrefix(r.URL.Query().Get("StudyInstanceUID"), "2.25."):
			w.Header().Set("Content-Type", "application/dicom+json")
			w.Write([]byte("[]"))
		case r.URL.Path == "/metrics":
			w.Write([]byte("# TYPE images counter\nimages 3\n"))
		default:
			http.NotFound(w, r)
		}
	})
	got := issuesOf(t, Options{}, "127.90.20.1:8080")
	for _, want := range []string{"WEB-001", "WEB-002", "WEB-003", "WEB-004", "WEB-019", "WEB-020", "WEB-022"} {
		if _, ok := got[want]; !ok {
			t.Errorf("%s is not found", want)
		}
	}
	if posts.Load() != 1 {
		t.Errorf("%d POSTs, want 1", posts.Load())
	}
}

func TestAPageForEverythingProvesNothing(t *testing.T) {
	t.Parallel()
	webService(t, "127.90.21.1:8080", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte("[]"))
	})
	for id, i := range issuesOf(t, Options{}, "127.90.21.1:8080") {
		t.Errorf("%s was invented: %v", id, i.Evidence)
	}
}

func TestADefaultCredentialIsTriedOnceAndNeverKept(t *testing.T) {
	t.Parallel()
	var tried atomic.Int64
	webService(t, "127.90.22.1:8042", func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); ok {
			tried.Add(1)
			if user == "u" && password == "from-the-file" {
				return
			}
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="Orthanc Secure Area"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	opt := Options{OptIn: map[string]bool{"default-credentials": true}, Credentials: map[string]Credential{"orthanc": NewCredential("u", "from-the-file")}}
	got := issuesOf(t, opt, "127.90.22.1:8042")
	i, ok := got["WEB-015"]
	if !ok || tried.Load() != 1 {
		t.Errorf("found %v after %d tries", ok, tried.Load())
	}
	if strings.Contains(i.Text+i.Fix.Do+i.Evidence[0].Sent, "from-the-file") {
		t.Error("the password stands in the issue")
	}
	opt.OptIn = nil
	if _, ok := issuesOf(t, opt, "127.90.22.1:8042")["WEB-015"]; ok || tried.Load() != 1 {
		t.Error("tried without being opted in")
	}
}

func TestIconsAreHashedAsSearchEnginesDo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint32{"": 0, "a": 0x3c2569b2, "abcd": 0x43ed676a, "hello, world": 0x149bbb7f} {
		if got := murmur3([]byte(text)); got != want {
			t.Errorf("%q: %08x, want %08x", text, got, want)
		}
	}
}
