package httpsec_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"collimator/internal/httpsec"
)

// TestAConnectionThatIsTooSlowIsReset: what the kernel holds for it is not sent on.
func TestAConnectionThatIsTooSlowIsReset(t *testing.T) {
	t.Parallel()
	pace := httpsec.Pace{Rate: 1 << 30, Window: time.Second}
	ended := make(chan error, 1)
	s := httptest.NewUnstartedServer(pace.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		piece := make([]byte, 64<<10)
		for {
			if _, err := w.Write(piece); err != nil {
				ended <- err
				panic(http.ErrAbortHandler)
			}
		}
	})))
	s.Config.ConnContext = pace.ConnContext
	s.StartTLS()
	defer s.Close()

	raw, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true}) // of the test
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-ended
	s.Close() // waits until the connection is closed
	if _, err := io.Copy(io.Discard, c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection ended with %v", err)
	}
}
