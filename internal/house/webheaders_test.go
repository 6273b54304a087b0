package house_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"collimator/internal/house/sitetest"
	"collimator/internal/httpsec"
	"collimator/internal/policy"
)

// newAdministeredSite is a site with an administrator and nobody else.
func newAdministeredSite(t *testing.T) *sitetest.Site {
	t.Helper()
	x := sitetest.NewSite(t, nil)
	if err := x.In.Registry.AddPerson(t.Context(), "administrator", string(policy.Administrator), sitetest.Password); err != nil {
		t.Fatal(err)
	}
	return x
}

// rawAnswer sends bytes by TLS and HTTP/1.1 and reads the answer.
func rawAnswer(x *sitetest.Site, request string) *http.Response {
	x.Helper()
	c, err := tls.Dial("tcp", x.Address, &tls.Config{InsecureSkipVerify: true}) // of the test
	if err != nil {
		x.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		x.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	rsp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		x.Fatalf("%.40q: %v", request, err)
	}
	b, _ := io.ReadAll(rsp.Body) // what there is of it
	rsp.Body = io.NopCloser(strings.NewReader(string(b)))
	return rsp
}

func TestEveryAnswerOfTheHTTPSPortHasTheHeadersAndRefusalsAreProblems(t *testing.T) {
	t.Parallel()
	x := newAdministeredSite(t)
	for line, status := range map[string]int{
		"OPTIONS * HTTP/1.1":                            401,
		"GET * HTTP/1.1":                                401,
		"CONNECT example.org:443 HTTP/1.1":              401,
		"CONNECT * HTTP/1.1":                            401,
		"TRACE / HTTP/1.1":                              401,
		"NONSENSE /api/v1/people HTTP/1.1":              401,
		"GET / HTTP/1.1":                                401,
		"HEAD / HTTP/1.1":                               401,
		"GET //dicom-web/studies HTTP/1.1":              307,
		"GET /dicom-web HTTP/1.1":                       307,
		"GET /api/../x HTTP/1.1":                        307,
		"GET /dicom-web/studies HTTP/1.1":               401,
		"PATCH /dicom-web/studies HTTP/1.1":             401,
		"GET /dicom-web/wado?requestType=WADO HTTP/1.1": 401,
		"GET /share/ HTTP/1.1":                          401,
		"GET /healthz HTTP/1.1":                         200,
		"POST /healthz HTTP/1.1":                        401,
		"POST /api/v1/session/password HTTP/1.1":        415,
		"GET /api/v1/session?a=%zz HTTP/1.1":            400,
		"GET /dicom-web/studies?a=%zz HTTP/1.1":         401,
		"GET /setup/ HTTP/1.1":                          200,
		"PUT /setup/ HTTP/1.1":                          405,
	} {
		rsp := rawAnswer(x, line+"\r\nHost: "+x.Host+"\r\nContent-Length: 0\r\n\r\n")
		if rsp.StatusCode != status {
			t.Errorf("%s: status %d, want %d", line, rsp.StatusCode, status)
		}
		for _, h := range httpsec.API {
			got := rsp.Header.Get(h.Name)
			own := h.Name == "Content-Security-Policy" || h.Name == "Cache-Control" || h.Name == "X-Frame-Options" && strings.Contains(line, "dicom-web")
			if got != h.Value && !(own && (got != "" || h.Name == "X-Frame-Options")) {
				t.Errorf("%s: %s is %q", line, h.Name, got)
			}
		}
		page := strings.Contains(line, "/share/") || strings.Contains(line, "/setup/")
		if kind := rsp.Header.Get("Content-Type"); rsp.StatusCode >= 400 && !page && !strings.HasPrefix(kind, "application/problem+json") {
			t.Errorf("%s: the refusal is %q", line, kind)
		}
	}
}

// TestWhatIsNoRequestIsAnsweredByTheServerItselfAndTellsNothing: net/http answers
// these before there is a request, and lets nobody add a header.
func TestWhatIsNoRequestIsAnsweredByTheServerItselfAndTellsNothing(t *testing.T) {
	t.Parallel()
	x := newAdministeredSite(t)
	for request, status := range map[string]int{
		"GET / HTTP/1.1\r\n\r\n": 400,
		"ZZPHI\r\n\r\n":          400,
		"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n":   431,
		"GET / HTTP/1.1\r\nHost: a\r\nExpect: ZZPHI\r\n\r\n":                            417,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ZZPHI\r\n\r\n":                501,
		"GET / HTTP/9.1\r\nHost: a\r\n\r\n":                                             505,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na": 400,
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n":                                  400,
	} {
		rsp := rawAnswer(x, request)
		b, _ := io.ReadAll(rsp.Body) // of a string
		if rsp.StatusCode != status || !rsp.Close || strings.Contains(string(b), "ZZPHI") || len(b) > 200 {
			t.Errorf("%.60q: status %d, want %d; %q", request, rsp.StatusCode, status, b)
		}
		if kind := rsp.Header.Get("Content-Type"); kind != "" && kind != "text/plain; charset=utf-8" {
			t.Errorf("%.60q: %q", request, kind)
		}
	}
}
