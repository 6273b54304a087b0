package outward_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/fault"
	"collimator/internal/outward"
)

// connector is a proxy that knows CONNECT alone, and leads every name to one
// server.
type connector struct {
	to string

	mu    sync.Mutex
	asked []string
}

func (c *connector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
		return
	}
	c.mu.Lock()
	c.asked = append(c.asked, r.Host)
	c.mu.Unlock()

	there, err := net.Dial("tcp", c.to)
	if err != nil {
		http.Error(w, "not reached", http.StatusBadGateway)
		return
	}
	defer there.Close()
	w.WriteHeader(http.StatusOK)
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	done := make(chan struct{})
	go func() { defer close(done); io.Copy(there, buffered); there.(*net.TCPConn).CloseWrite() }()
	io.Copy(here, there)
	here.Close()
	<-done
}

func (c *connector) hosts() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.asked, " ")
}

// served is an HTTPS server for example.com and a proxy that leads to it.
func served(t *testing.T) (proxy string, c *connector, trust *tls.Config, own string) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") }))
	t.Cleanup(s.Close)
	c = &connector{to: s.Listener.Addr().String()}
	p := httptest.NewServer(c)
	t.Cleanup(p.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return p.URL, c, &tls.Config{RootCAs: pool}, s.URL
}

func get(t *testing.T, w *outward.Way, trust *tls.Config, address string) (string, error) {
	t.Helper()
	client := w.Client(5*time.Second, trust)
	defer client.CloseIdleConnections()
	rsp, err := client.Get(address)
	if err != nil {
		return "", err
	}
	defer rsp.Body.Close()
	b, err := io.ReadAll(rsp.Body)
	return string(b), err
}

func TestOthersAreCalledThroughTheProxyOfTheSettings(t *testing.T) {
	t.Parallel()
	proxy, c, trust, _ := served(t)
	w, err := outward.New(outward.Options{Proxy: proxy, Except: []string{".house.test"}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := get(t, w, trust, "https://example.com/")
	if err != nil || text != "here" || c.hosts() != "example.com:443" {
		t.Errorf("got %q, %v; the proxy was asked for %q", text, err, c.hosts())
	}
}

// What is named in no_proxy, and this machine, is called directly.
func TestTheHouseIsCalledWithoutTheProxy(t *testing.T) {
	t.Parallel()
	proxy, c, trust, own := served(t)
	w, err := outward.New(outward.Options{Proxy: proxy, Except: []string{".house.test", "192.0.2.0/24"}})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := get(t, w, trust, own); err != nil || text != "here" {
		t.Errorf("this machine: %q, %v", text, err)
	}
	transport := w.Transport(nil)
	for address, want := range map[string]bool{
		"https://pacs.house.test/": false, "https://192.0.2.7/": false, "https://localhost/": false, "https://example.com/": true, "https://198.51.100.7/": true,
	} {
		rq, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		by, err := transport.Proxy(rq)
		if err != nil || (by != nil) != want {
			t.Errorf("%s: by %v, %v", address, by, err)
		}
	}
	if c.hosts() != "" {
		t.Errorf("the proxy was asked for %q", c.hosts())
	}
}

// The environment counts where the settings say nothing, and for nothing else.
func TestTheEnvironmentCountsWhereTheSettingsAreSilent(t *testing.T) {
	proxy, c, trust, _ := served(t)
	t.Setenv("HTTPS_PROXY", proxy)
	t.Setenv("NO_PROXY", "")
	silent, err := outward.New(outward.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := get(t, silent, trust, "https://example.com/"); err != nil || text != "here" || c.hosts() != "example.com:443" {
		t.Errorf("got %q, %v; the proxy was asked for %q", text, err, c.hosts())
	}
	direct, err := outward.New(outward.Options{Proxy: outward.Direct})
	if err != nil {
		t.Fatal(err)
	}
	if direct.Transport(nil).Proxy != nil {
		t.Error("a proxy is used although there is to be none")
	}
}

func TestWhatCannotBeAProxyIsRefused(t *testing.T) {
	t.Parallel()
	for _, o := range []outward.Options{
		{Proxy: "proxy:3128"}, {Proxy: "socks5://proxy:1080"}, {Proxy: "http://ada:secret@proxy:3128"}, {Proxy: "http://"}, {Proxy: "http://proxy:3128/path"},
		{Except: []string{".house.test"}}, {Proxy: outward.Direct, Except: []string{"x"}}, {Proxy: "http://proxy:3128", Except: []string{"a,b"}},
	} {
		_, err := outward.New(o)
		if fault.Of(err) != fault.Invalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	var none *outward.Way
	if none.Transport(nil).Proxy != nil {
		t.Error("nothing has a proxy")
	}
}
