package house_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/alarm"
	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/guard"
	"collimator/internal/house"
	"collimator/internal/house/housetest"
	"collimator/internal/house/sitetest"
)

// heard keeps what servers of alarms were told.
type heard struct {
	mu   sync.Mutex
	text []string
}

func (h *heard) add(s string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, s)
}

func (h *heard) all() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.text, "\n")
}

// alarmServers are a webhook and a syslog server over TLS, and settings that name them.
func alarmServers(t *testing.T) (config.Alarms, *heard) {
	t.Helper()
	h := &heard{}
	hook := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if !strings.HasPrefix(r.Header.Get(alarm.SignatureHeader), "t=") {
			b = []byte("not signed")
		}
		h.add("webhook " + string(b))
	}))
	t.Cleanup(hook.Close)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: hook.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	housetest.EachConnection(t, ln, func(conn net.Conn) {
		b, _ := io.ReadAll(io.LimitReader(conn, 1<<20))
		h.add("syslog " + string(b))
	})

	dir := t.TempDir()
	roots, secret := filepath.Join(dir, "roots.pem"), filepath.Join(dir, "secret")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, []byte("made for this test only\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Alarms{Severity: "high", Webhook: config.Webhook{URL: hook.URL + "/hook", SecretFile: secret, Roots: roots}, Syslog: config.Syslog{Server: ln.Addr().String(), Roots: roots}}, h
}

// await waits until a condition holds, within a minute.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 3000 {
		if ok() {
			return
		}
		select {
		case <-t.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("%s did not come", what)
}

func TestAlarmsReachTheirChannelsWithoutPatientData(t *testing.T) {
	t.Parallel()
	alarms, h := alarmServers(t)
	x := sitetest.NewPeopledSite(t, func(c *config.Config) { c.Alarms = alarms })
	for _, tried := range x.Server.Teller.Test(t.Context()) {
		if !tried.OK {
			t.Errorf("%s: %s", tried.Channel, tried.Error)
		}
	}
	x.Server.Teller.Every = 20 * time.Millisecond
	x.Server.Teller.Quiet = 100 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	x.Server.Watch(ctx, &wg)
	defer func() {
		cancel()
		x.Server.Posture.Close()
		wg.Wait()
	}()
	b, referrer := x.SignIn("administrator"), x.SignIn("referrer")
	address, _ := openService(t)
	if a := finishedScan(b, b.Must(200, "POST", "/api/v1/scans", map[string]any{"targets": []string{address}}).JSON["id"].(string)); a.JSON["state"] != "done" {
		t.Fatal(a.Text)
	}
	referrer.Must(200, "GET", "/dicom-web/studies/2.25.71/metadata", nil, guard.EmergencyHeader, "ZZPHI^TYPED is dying")
	if x.Recorded(audit.EmergencyAccess, "referrer", "ZZPHI^TYPED") == 0 {
		t.Fatal("the emergency is not recorded")
	}
	await(t, "the alarm of the scan", func() bool { return strings.Count(h.all(), "Any called AE title is accepted") >= 2 })
	await(t, "the alarm of the emergency", func() bool { return strings.Count(h.all(), "Emergency access by referrer") >= 2 })
	all := h.all()
	for _, no := range []string{"ZZPHI", "2.25.71", "not signed"} {
		if strings.Contains(all, no) && (no != "2.25.71" || sitetest.HoldsUID(all, no)) {
			t.Errorf("an alarm holds %q: %s", no, all)
		}
	}
	for _, line := range strings.Split(all, "\n") {
		if body, ok := strings.CutPrefix(line, "webhook "); ok && !json.Valid([]byte(body)) {
			t.Errorf("the webhook got %s", body)
		}
	}
	if n := strings.Count(all, "Any called AE title is accepted"); n > 2 {
		t.Errorf("the issue was told %d times to two channels", n)
	}
}

func TestSecretsOfAlarmsAreForNobodyElse(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte("made for this test only\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := house.SecretOf("key", name, 16); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others may read: %v", err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := house.SecretOf("key", name, 16); err != nil || string(b) != "made for this test only" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := house.SecretOf("key", name, 64); err == nil || strings.Contains(err.Error(), "made for") {
		t.Errorf("a short secret: %v", err)
	}
}
