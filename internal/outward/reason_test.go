package outward_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"collimator/internal/outward"
)

// taken is an address of loopback where nobody listens.
func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestAConnectionThatFailsIsExplainedToAPerson(t *testing.T) {
	t.Parallel()
	direct, err := outward.New(outward.Options{Proxy: outward.Direct})
	if err != nil {
		t.Fatal(err)
	}
	_, refused := get(t, direct, nil, "https://"+taken(t)+"/")
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	_, untrusted := get(t, direct, nil, secure.URL)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	_, bare := get(t, direct, nil, strings.Replace(plain.URL, "http:", "https:", 1))
	late, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	_, inTime := new(net.Dialer).DialContext(late, "tcp", taken(t))

	for want, err := range map[string]error{
		"nobody listens there": refused,
		"is not believed":      untrusted,
		"does not speak TLS":   bare,
		"no answer in time":    inTime,
		"no such name":         &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "ZZPHI", IsNotFound: true}},
		"no way to this addr":  &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH},
		"refused the TLS":      &net.OpError{Op: "remote error", Err: errors.New("tls: ZZPHI")},
		"was ended before":     fmt.Errorf("read: %w", io.EOF),
		"was not reached":      &net.DNSError{Err: "ZZPHI", Name: "ZZPHI"},
	} {
		if err == nil {
			t.Fatalf("%s: it went well", want)
		}
		text := outward.Reason(err)
		if !strings.Contains(text, want) || strings.Contains(text, "ZZPHI") || strings.Contains(text, "dial tcp") || strings.HasSuffix(text, ".") {
			t.Errorf("%v: %q, want %q", err, text, want)
		}
	}
}

// A file that is not there is no program that does not run.
func TestAFileIsNotTakenForAConnection(t *testing.T) {
	t.Parallel()
	for _, err := range []error{syscall.ENOENT, syscall.EACCES} {
		if text := outward.Reason(&fs.PathError{Op: "open", Path: "ZZPHI", Err: err}); text != "" {
			t.Errorf("%v of a file: %q", err, text)
		}
		if text := outward.Reason(&net.OpError{Op: "dial", Net: "unix", Err: err}); text == "" || strings.Contains(text, "not reached") {
			t.Errorf("%v of a socket: %q", err, text)
		}
	}
}

func TestWhatIsNoErrorOfTheNetworkStaysAsItIs(t *testing.T) {
	t.Parallel()
	own := errors.New("outward: something of our own")
	if outward.Explain("a:1", nil) != nil || outward.Explain("a:1", own) != own || outward.Reason(own) != "" {
		t.Error("it is taken for one of the network")
	}
	err := outward.Explain("192.0.2.1:104", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.HasPrefix(err.Error(), "192.0.2.1:104: nobody listens there") {
		t.Errorf("%v", err)
	}
}
