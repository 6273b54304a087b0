package inventory

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"collimator/internal/advisory"
	"collimator/internal/fault"
)

// document is a small CSAF document.
func document(id, version string) []byte {
	return []byte(`{"document":{"csaf_version":"2.0","title":"A test","publisher":{"name":"V"},"tracking":{"id":"` + id + `","version":"` + version + `","initial_release_date":"2026-01-02T00:00:00Z"}},
	"product_tree":{"branches":[{"category":"vendor","name":"Acme","branches":[{"category":"product_name","name":"Ray Viewer","branches":[
	{"category":"product_version_range","name":"<2","product":{"name":"Ray Viewer","product_id":"P1"}}]}]}]},
	"vulnerabilities":[{"cve":"CVE-2026-0001","product_status":{"known_affected":["P1"]},"notes":[{"text":"the password is hunter2"}]}]}`)
}

func newKey(t *testing.T) (*openpgp.Entity, Keys) {
	t.Helper()
	e, err := openpgp.NewEntity("Publisher", "", "csaf@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Serialize(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	keys, err := ReadKeys(&b)
	if err != nil {
		t.Fatal(err)
	}
	return e, keys
}

func sign(t *testing.T, e *openpgp.Entity, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&b, e, bytes.NewReader(body), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func hash256(b []byte) []byte {
	s := sha256.Sum256(b)
	return []byte(hex.EncodeToString(s[:]) + "  a.json\n")
}

func hash512(b []byte) []byte {
	s := sha512.Sum512(b)
	return []byte(hex.EncodeToString(s[:]))
}

func TestDocumentsWithWrongHashOrSignatureAreRefusedAndNamed(t *testing.T) {
	t.Parallel()
	signer, keys := newKey(t)
	stranger, _ := newKey(t)
	doc, other := document("TEST-1", "1"), document("TEST-2", "1")
	for name, c := range map[string]struct {
		files   map[string][]byte
		require bool
		why     string // empty: it is taken
		hash    string
		signed  bool
	}{
		"all right":              {map[string][]byte{".sha256": hash256(doc), ".sha512": hash512(doc), ".asc": sign(t, signer, doc)}, true, "", "sha512", true},
		"nothing beside it":      {nil, false, "", "none", false},
		"no signature, required": {map[string][]byte{".sha256": hash256(doc)}, true, "no signature", "", false},
		"wrong SHA-256":          {map[string][]byte{".sha256": hash256(other)}, false, "SHA-256", "", false},
		"wrong SHA-512":          {map[string][]byte{".sha256": hash256(doc), ".sha512": hash512(other)}, false, "SHA-512", "", false},
		"empty hash":             {map[string][]byte{".sha256": {}}, false, "SHA-256", "", false},
		"signature of another":   {map[string][]byte{".asc": sign(t, stranger, doc)}, false, "signature", "", false},
		"signature over another": {map[string][]byte{".asc": sign(t, signer, other)}, false, "signature", "", false},
		"no signature at all":    {map[string][]byte{".asc": []byte("hello")}, false, "signature", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			path := filepath.Join(t.TempDir(), "a.json")
			files := map[string][]byte{"": doc}
			maps.Copy(files, c.files)
			for suffix, b := range files {
				if err := os.WriteFile(path+suffix, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := f.ImportPath(t.Context(), path, Intake{Keys: keys, RequireSignature: c.require})
			if err != nil {
				t.Fatal(err)
			}
			if c.why != "" {
				if len(got.Refused) != 1 || !strings.Contains(got.Refused[0], c.why) || !strings.Contains(got.Refused[0], "a.json") || len(got.Imported) != 0 {
					t.Errorf("%+v", got)
				}
				return
			}
			if len(got.Imported) != 1 || got.Imported[0].Hash != c.hash || (got.Imported[0].Signature != "") != c.signed || (got.Unsigned == 0) != c.signed {
				t.Fatalf("%+v", got)
			}
			table, err := f.Advisories(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if res := table.Match(advisory.Identity{Vendor: "Acme", Product: "Ray Viewer 1.9"}); res.Answer != advisory.Affected {
				t.Errorf("%+v", res)
			}
		})
	}
}

func TestAnOldDocumentDoesNotReplaceANewerOne(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	dir := t.TempDir()
	for _, version := range []string{"10", "9"} {
		if err := os.WriteFile(filepath.Join(dir, "a.json"), document("TEST-1", version), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := f.ImportPath(t.Context(), dir, Intake{})
		if err != nil || (version == "9") != (len(got.Older) == 1) {
			t.Errorf("version %s: %+v %v", version, got, err)
		}
	}
	list, _ := f.Imported(t.Context())
	if len(list) != 1 || list[0].Version != "10" {
		t.Errorf("%+v", list)
	}
}

// source is a publisher's server.
func source(t *testing.T, files map[string][]byte) (*httptest.Server, *[]string) {
	t.Helper()
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, rq *http.Request) {
		b, ok := files[rq.URL.Path]
		if !ok {
			http.NotFound(w, rq)
			return
		}
		asked = append(asked, rq.URL.Path)
		tag := `"` + string(hash256(b)[:16]) + `"`
		w.Header().Set("ETag", tag)
		if rq.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(b)
	}))
	t.Cleanup(s.Close)
	return s, &asked
}

func TestSourcesAreFetchedInEveryFormOfTheStandard(t *testing.T) {
	t.Parallel()
	doc := document("TEST-1", "1")
	files := map[string][]byte{
		"/csaf/2026/test-1.json": doc, "/csaf/2026/test-1.json.sha256": hash256(doc), "/csaf/2026/test-2.json": document("TEST-2", "1"), "/csaf/2026/test-2.json.sha256": hash256(doc),
		"/csaf/index.txt": []byte("2026/test-1.json\n2026/test-2.json\n"), "/list/changes.csv": []byte("\"../csaf/2026/test-1.json\",\"2026-01-02T00:00:00Z\"\n"),
		"/away/index.txt": []byte("https://elsewhere.example/a.json\n"),
		"/feed.json":      []byte(`{"feed":{"entry":[{"content":{"src":"/csaf/2026/test-1.json"}}]}}`),
	}
	s, _ := source(t, files)
	files["/provider-metadata.json"] = []byte(`{"distributions":[{"directory_url":"` + s.URL + `/csaf"}]}`)
	files["/rolie/provider-metadata.json"] = []byte(`{"distributions":[{"rolie":{"feeds":[{"url":"` + s.URL + `/feed.json"}]}}]}`)
	for address, refused := range map[string]int{"/csaf/2026/test-1.json": 0, "/csaf/": 1, "/csaf/index.txt": 1, "/list/": 0, "/provider-metadata.json": 1, "/rolie/provider-metadata.json": 0} {
		f := newFixture(t)
		got, err := f.Fetch(t.Context(), s.URL+address, Intake{}, nil)
		if err != nil || len(got.Imported) != 1 || got.Imported[0].ID != "TEST-1" || got.Imported[0].Hash != "sha256" || len(got.Refused) != refused {
			t.Errorf("%s: %+v %v", address, got, err)
		}
	}
	f := newFixture(t)
	if _, err := f.Fetch(t.Context(), s.URL+"/away/index.txt", Intake{}, nil); err == nil {
		t.Error("a list that points to another host was followed")
	}
	if got, err := f.Fetch(t.Context(), s.URL+"/csaf/", Intake{Only: "other-"}, nil); err != nil || len(got.Imported)+len(got.Refused) != 0 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestWhatHasNotChangedIsNotFetchedAgain(t *testing.T) {
	t.Parallel()
	doc := document("TEST-1", "1")
	s, asked := source(t, map[string][]byte{"/index.txt": []byte("a.json\n"), "/a.json": doc, "/a.json.sha256": hash256(doc)})
	f := newFixture(t)
	if got, err := f.Fetch(t.Context(), s.URL+"/", Intake{}, nil); err != nil || len(got.Imported) != 1 {
		t.Fatalf("%+v %v", got, err)
	}
	*asked = nil
	if got, err := f.Fetch(t.Context(), s.URL+"/", Intake{}, nil); err != nil || got.Unchanged != 1 || len(got.Imported) != 0 || len(*asked) != 2 {
		t.Errorf("%+v %v, asked for %v", got, err, *asked)
	}
}

func TestSourcesWithoutTLSAreRefused(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"https://example.com/csaf/": true, "http://127.0.0.1:1/x/": true, "http://example.com/": false, "http://10.0.0.1/": false, "ftp://example.com/": false, "file:///etc/passwd": false, "https://u:p@example.com/": false, "": false,
	} {
		if err := CheckSource(address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	away := httptest.NewServer(http.RedirectHandler("http://example.com/a.json", http.StatusFound))
	defer away.Close()
	if got, err := newFixture(t).Fetch(t.Context(), away.URL+"/a.json", Intake{}, nil); err == nil && len(got.Refused) == 0 {
		t.Error("a redirect away from TLS was followed")
	}
}

func TestAnAnswerWithoutEndIsCutOff(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 3 * advisory.MaxDocument >> 16 {
			if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<16)); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	got, err := newFixture(t).Fetch(t.Context(), s.URL+"/a.json", Intake{}, nil)
	if err != nil || len(got.Refused) != 1 || !strings.Contains(got.Refused[0], "larger") {
		t.Errorf("%+v %v", got.Refused, err)
	}
	if _, err := ReadKeys(strings.NewReader("no key")); fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
}
