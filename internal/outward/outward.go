// Package outward makes the HTTP clients by which the archive calls others: the
// identity provider, an ACME authority, a webhook, publishers of advisories. All
// go the same way: through the proxy of the settings or of the environment, with
// bounds of time. It does not know what is asked, and scans do not use it.
package outward

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"collimator/internal/fault"
)

// Direct in the place of a proxy is to use none, whatever the environment says.
const Direct = "none"

// Options say by which proxy others are called.
type Options struct {
	// Proxy is http://HOST:PORT or https://HOST:PORT, Direct for none, or empty for
	// what HTTPS_PROXY and NO_PROXY of the environment say.
	Proxy string
	// Except are hosts, domains (.example.org), addresses and networks (10.0.0.0/8)
	// that are called without Proxy. This machine always is.
	Except []string
}

// Check refuses, with kind Invalid, what cannot be a proxy. A user and a password
// have no place in the settings, which are shown.
func (o Options) Check() error {
	if o.Proxy == "" || o.Proxy == Direct {
		if len(o.Except) > 0 {
			if o.Proxy == Direct {
				return fault.Newf(fault.Invalid,
					"outward: no_proxy says nothing where proxy is %s: everything is called directly; "+
						"leave one of them out", Direct)
			}
			return fault.New(fault.Invalid,
				"outward: no_proxy goes with proxy; without it NO_PROXY of the environment counts")
		}
		return nil
	}

	u, err := url.Parse(o.Proxy)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return fault.Newf(fault.Invalid,
			"outward: proxy: want http://HOST:PORT or https://HOST:PORT, without a user, or %s", Direct)
	}

	for _, host := range o.Except {
		if host == "" || strings.ContainsAny(host, ", \t/") && !isNetwork(host) {
			return fault.Newf(fault.Invalid, "outward: no_proxy %q: want a host, a domain (.example.org), an address "+
				"or a network (10.0.0.0/8) in each entry", host)
		}
	}
	return nil
}

func isNetwork(s string) bool {
	_, _, err := net.ParseCIDR(s)
	return err == nil
}

// Way is how others are called. The zero Way and nil go directly. Safe for
// concurrent use.
type Way struct {
	proxy func(*url.URL) (*url.URL, error) // nil: none
}

// New makes a way of options that were checked. The environment is read now.
func New(o Options) (*Way, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}

	switch o.Proxy {
	case Direct:
		return &Way{}, nil
	case "":
		return &Way{proxy: httpproxy.FromEnvironment().ProxyFunc()}, nil
	}

	c := httpproxy.Config{HTTPProxy: o.Proxy, HTTPSProxy: o.Proxy, NoProxy: strings.Join(o.Except, ",")}
	return &Way{proxy: c.ProxyFunc()}, nil
}

// Bounds of a call, beside that of the client as a whole.
const (
	dialMost   = 15 * time.Second
	shakeMost  = 15 * time.Second
	idleMost   = time.Minute
	headerMost = 256 << 10 // bytes of the header of an answer
)

// Transport carries requests this way. config says whom to believe, for the other
// side and for a proxy that speaks TLS; nil are the system's authorities. The
// version is at least TLS 1.2.
func (w *Way) Transport(config *tls.Config) *http.Transport {
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	if config.MinVersion == 0 {
		config.MinVersion = tls.VersionTLS12
	}

	t := &http.Transport{
		TLSClientConfig:        config,
		ForceAttemptHTTP2:      true,
		DialContext:            (&net.Dialer{Timeout: dialMost}).DialContext,
		TLSHandshakeTimeout:    shakeMost,
		IdleConnTimeout:        idleMost,
		MaxResponseHeaderBytes: headerMost,
	}
	if w != nil && w.proxy != nil {
		t.Proxy = func(rq *http.Request) (*url.URL, error) { return w.proxy(rq.URL) }
	}
	return t
}

// Client makes a client that goes this way; timeout bounds each request with its
// answer, and has to be above 0.
func (w *Way) Client(timeout time.Duration, config *tls.Config) *http.Client {
	return &http.Client{Timeout: timeout, Transport: w.Transport(config)}
}
