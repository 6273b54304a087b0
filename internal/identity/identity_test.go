package identity_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/fault"
	"collimator/internal/house/housetest"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

func open(t *testing.T) (*identity.Registry, *identity.Authority, *housetest.Clock) {
	t.Helper()
	r := housetest.NewRegister(t)
	return r.Registry, r.Authority, r.Clock
}

func issue(t *testing.T, a *identity.Authority, ae string) *x509.Certificate {
	t.Helper()
	i, err := a.IssueDevice(ae, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	return i.Certificate
}

func register(t *testing.T, r *identity.Registry, d identity.Device, certs ...*x509.Certificate) {
	t.Helper()
	if err := r.Put(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for _, c := range certs {
		if err := r.Bind(t.Context(), d.AETitle, c); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAuthenticateTakesOnlyTheTitleWithItsOwnCertificate(t *testing.T) {
	t.Parallel()
	r, a, c := open(t)
	here, there := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	ct, mr, spare, removed := issue(t, a, "CT1"), issue(t, a, "MR1"), issue(t, a, "CT1"), issue(t, a, "OLD")
	register(t, r, identity.Device{AETitle: "CT1", Verbs: policy.Verbs()}, ct)
	register(t, r, identity.Device{AETitle: "MR1", Address: "127.0.0.1"}, mr)
	register(t, r, identity.Device{AETitle: "US1", Address: "127.0.0.1", PlaintextUntil: c.Now().Add(time.Hour)})
	register(t, r, identity.Device{AETitle: "XR1", Address: "127.0.0.1", NoCertificateUntil: c.Now().Add(time.Hour)})
	register(t, r, identity.Device{AETitle: "OLD"}, removed)
	if open, err := r.WithoutCertificate(t.Context()); err != nil || len(open) != 1 || open[here].IsZero() {
		t.Errorf("%v, %v", open, err)
	}
	if err := r.Put(t.Context(), identity.Device{AETitle: "XR2", NoCertificateUntil: c.Now().Add(time.Hour)}); fault.Of(err) != fault.Invalid {
		t.Errorf("an exception without an address: %v", err)
	}
	if err := r.Remove(t.Context(), "OLD"); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		caller identity.Caller
		want   string // empty: let in; else part of the refusal
	}{
		"its own certificate":              {identity.Caller{"CT1", there, ct, true}, ""},
		"certificate of another device":    {identity.Caller{"CT1", here, mr, true}, "not bound"},
		"same name but not bound":          {identity.Caller{"CT1", here, spare, true}, "not bound"},
		"no certificate":                   {identity.Caller{"CT1", here, nil, false}, "without TLS"},
		"unknown title with a certificate": {identity.Caller{"XX1", here, ct, true}, "not registered"},
		"unknown title without":            {identity.Caller{"XX1", here, nil, false}, "not registered"},
		"right address":                    {identity.Caller{"MR1", here, mr, true}, ""},
		"IPv4 in IPv6 form":                {identity.Caller{"MR1", netip.MustParseAddr("::ffff:127.0.0.1"), mr, true}, ""},
		"wrong address":                    {identity.Caller{"MR1", there, mr, true}, "another address"},
		"plaintext exception":              {identity.Caller{"US1", here, nil, false}, ""},
		"plaintext from another address":   {identity.Caller{"US1", there, nil, false}, "another address"},
		"exception without a certificate":  {identity.Caller{"XR1", here, nil, true}, ""},
		"the same from elsewhere":          {identity.Caller{"XR1", there, nil, true}, "another address"},
		"the same without TLS":             {identity.Caller{"XR1", here, nil, false}, "without TLS"},
		"another without a certificate":    {identity.Caller{"US1", here, nil, true}, "without a certificate"},
		"unknown title with TLS alone":     {identity.Caller{"XX1", here, nil, true}, "not registered"},
		"removed device":                   {identity.Caller{"OLD", here, removed, true}, "not registered"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := r.Authenticate(t.Context(), tc.caller)
			checkRefusal(t, tc.want, err)
			if err == nil && d.AETitle != tc.caller.CallingAETitle {
				t.Errorf("authenticated as %s", d.AETitle)
			}
		})
	}
	c.Advance(2 * time.Hour)
	_, err := r.Authenticate(t.Context(), identity.Caller{"US1", here, nil, false})
	checkRefusal(t, "without TLS", err)
	_, err = r.Authenticate(t.Context(), identity.Caller{"XR1", here, nil, true})
	checkRefusal(t, "without a certificate", err)
	if open, err := r.WithoutCertificate(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("%v, %v", open, err)
	}
	c.Advance(identity.DeviceLifetime)
	_, err = r.Authenticate(t.Context(), identity.Caller{"CT1", here, ct, true})
	checkRefusal(t, "expired", err)
}

func TestACertificateAloneTellsWhichDeviceComes(t *testing.T) {
	t.Parallel()
	r, a, c := open(t)
	here, there := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	ct, mr, unbound, removed, dropped := issue(t, a, "CT1"), issue(t, a, "MR1"), issue(t, a, "CT1"), issue(t, a, "OLD"), issue(t, a, "CT1")
	register(t, r, identity.Device{AETitle: "CT1"}, dropped, ct)
	register(t, r, identity.Device{AETitle: "MR1", Address: "127.0.0.1"}, mr)
	register(t, r, identity.Device{AETitle: "OLD"}, removed)
	if err := errors.Join(r.Remove(t.Context(), "OLD"), r.Supersede(t.Context(), "CT1", ct)); err != nil {
		t.Fatal(err)
	}

	for name, tc := range map[string]struct {
		cert   *x509.Certificate
		from   netip.Addr
		device string
		want   string // empty: let in; else part of the refusal
	}{
		"from anywhere":                  {ct, there, "CT1", ""},
		"from its address":               {mr, here, "MR1", ""},
		"from another address":           {mr, there, "", "another address"},
		"bound to nobody":                {unbound, here, "", "not that of a registered device"},
		"of a device that was removed":   {removed, here, "", "not that of a registered device"},
		"of which another one came last": {dropped, here, "", "not that of a registered device"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := r.AuthenticateCertificate(t.Context(), tc.cert, tc.from)
			checkRefusal(t, tc.want, err)
			if err == nil && d.AETitle != tc.device {
				t.Errorf("authenticated as %s", d.AETitle)
			}
		})
	}

	c.Advance(identity.DeviceLifetime + time.Hour)
	_, err := r.AuthenticateCertificate(t.Context(), ct, there)
	checkRefusal(t, "expired", err)
}

func checkRefusal(t *testing.T, want string, err error) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var refusal *identity.Refusal
	if !errors.As(err, &refusal) || !strings.Contains(refusal.Text, want) {
		t.Errorf("got %v, want a refusal with %q", err, want)
	}
}

func TestACertificateBelongsToOneDeviceAndNeverComesBack(t *testing.T) {
	t.Parallel()
	r, a, _ := open(t)
	cert, next := issue(t, a, "CT1"), issue(t, a, "CT1")
	register(t, r, identity.Device{AETitle: "CT1"}, cert)
	register(t, r, identity.Device{AETitle: "CT2"})
	if err := r.Bind(t.Context(), "CT2", cert); fault.Of(err) != fault.Conflict {
		t.Errorf("bound to a second device: %v", err)
	}
	if err := r.Bind(t.Context(), "CT1", next); err != nil {
		t.Fatal(err)
	}
	if err := r.Supersede(t.Context(), "CT1", next); err != nil {
		t.Fatal(err)
	}
	if err := r.Bind(t.Context(), "CT1", cert); fault.Of(err) != fault.Conflict {
		t.Errorf("a removed certificate was taken again: %v", err)
	}
	d, err := r.Device(t.Context(), "CT1")
	if err != nil || len(d.Certificates) != 1 || d.Certificates[0].Fingerprint == "" {
		t.Errorf("certificates after renewal: %v, %v", d, err)
	}
}

func TestPendingIsBoundedAndCountsRepeats(t *testing.T) {
	t.Parallel()
	r, a, c := open(t)
	cert := issue(t, a, "NEW")
	for i := range 30 {
		c.Advance(time.Second)
		p := identity.Pending{CallingAETitle: fmt.Sprintf("AE%d", i%20), CalledAETitle: "COLLIMATOR", Address: "127.0.0.1", Certificate: cert, Contexts: []string{"1.2", "1.3"}, Reason: "x"}
		if err := r.Remember(t.Context(), p, 10); err != nil {
			t.Fatal(err)
		}
	}
	list, err := r.ListPending(t.Context())
	if err != nil || len(list) != 10 {
		t.Fatalf("%d entries, %v; want the 10 latest", len(list), err)
	}
	if list[0].CallingAETitle != "AE9" || len(list[0].Contexts) != 2 || list[0].Certificate == nil {
		t.Errorf("latest entry is %+v", list[0])
	}
	for range 4 {
		if err := r.Remember(t.Context(), identity.Pending{CallingAETitle: "AE9", Address: "127.0.0.1", Certificate: cert}, 10); err != nil {
			t.Fatal(err)
		}
	}
	if list, _ = r.ListPending(t.Context()); list[0].Attempts != 5 {
		t.Errorf("%d attempts counted, want 5", list[0].Attempts)
	}
}

func TestOneStrangerDoesNotPushOthersOffThePendingList(t *testing.T) {
	t.Parallel()
	r, a, c := open(t)
	cert := issue(t, a, "NEW")
	remember := func(title, address string) {
		t.Helper()
		c.Advance(time.Second)
		if err := r.Remember(t.Context(), identity.Pending{CallingAETitle: title, Address: address, Certificate: cert}, 100); err != nil {
			t.Fatal(err)
		}
	}
	remember("CT1", "192.0.2.1")
	for i := range 150 {
		remember(fmt.Sprintf("AE%d", i), "192.0.2.66")
	}
	list, err := r.ListPending(t.Context())
	if err != nil || !slices.ContainsFunc(list, func(p identity.Pending) bool { return p.CallingAETitle == "CT1" }) {
		t.Errorf("CT1 is not among %d entries: %v", len(list), err)
	}
	if list[0].CallingAETitle != "AE149" {
		t.Error("the latest caller is not kept")
	}
	huge := *cert
	huge.Raw = make([]byte, 200_000)
	if err := r.Remember(t.Context(), identity.Pending{CallingAETitle: "HUGE", Address: "192.0.2.1", Certificate: &huge}, 100); err != nil {
		t.Fatal(err)
	}
	if again, _ := r.ListPending(t.Context()); len(again) != len(list) {
		t.Error("a certificate of 200 kB is kept")
	}
}

func TestNumbersOfPendingCallersAreNotUsedAgain(t *testing.T) {
	t.Parallel()
	r, a, _ := open(t)
	cert := issue(t, a, "NEW")
	number := func(title string) int64 {
		t.Helper()
		if err := r.Remember(t.Context(), identity.Pending{CallingAETitle: title, Address: "192.0.2.1", Certificate: cert}, 10); err != nil {
			t.Fatal(err)
		}
		list, err := r.ListPending(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatal(len(list), err)
		}
		return list[0].ID
	}
	first := number("CT1")
	if err := r.Forget(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if second := number("EVIL"); second == first {
		t.Errorf("number %d means another caller now", first)
	}
}

func TestApproveLetsTheCallerInWithTheCertificateItShowed(t *testing.T) {
	t.Parallel()
	r, a, c := open(t)
	cert := issue(t, a, "whatever")
	here := netip.MustParseAddr("127.0.0.1")
	if err := r.Remember(t.Context(), identity.Pending{CallingAETitle: "CT9", Address: "127.0.0.1", Certificate: cert}, 10); err != nil {
		t.Fatal(err)
	}
	if err := r.Remember(t.Context(), identity.Pending{CallingAETitle: "US9", Address: "127.0.0.1"}, 10); err != nil {
		t.Fatal(err)
	}
	list, _ := r.ListPending(t.Context())
	ids := map[string]int64{}
	for _, p := range list {
		ids[p.CallingAETitle] = p.ID
	}
	if err := r.Approve(t.Context(), ids["CT9"], identity.Device{Verbs: []policy.Verb{policy.Echo}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Authenticate(t.Context(), identity.Caller{"CT9", here, cert, true}); err != nil {
		t.Error(err)
	}
	if err := r.Approve(t.Context(), ids["US9"], identity.Device{}); fault.Of(err) != fault.Invalid {
		t.Errorf("approved a caller without TLS and without exception: %v", err)
	}
	if err := r.Approve(t.Context(), ids["US9"], identity.Device{Address: "127.0.0.1", PlaintextUntil: c.Now().Add(time.Hour)}); err != nil {
		t.Error(err)
	}
	if list, _ := r.ListPending(t.Context()); len(list) != 0 {
		t.Errorf("%d entries are left after approval", len(list))
	}
}

func TestTwoProcessesThatStartAtOnceAgreeOnOneAuthority(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	var wg sync.WaitGroup
	pems := make([]string, 3)
	for i := range pems {
		wg.Go(func() {
			a, err := identity.OpenAuthority(dir, time.Now)
			if err != nil {
				t.Error(err)
				return
			}
			pems[i] = string(a.CertPEM())
		})
	}
	wg.Wait()
	if pems[0] == "" || pems[0] != pems[1] || pems[1] != pems[2] {
		t.Error("the authorities differ")
	}
	on, err := os.ReadFile(filepath.Join(dir, "ca.cert.pem"))
	if err != nil || string(on) != pems[0] {
		t.Errorf("ca.cert.pem is not the authority's: %v", err)
	}
	for _, name := range []string{"ca.key.pem", "."} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v %v", name, info.Mode(), err)
		}
	}
}

func TestOpeningAnAuthorityThatIsThereWritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := identity.OpenAuthority(dir, time.Now); err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(dir, before, before); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.OpenAuthority(dir, time.Now); err != nil {
		t.Fatal(err)
	}
	// On a full disk 'verify' and 'device' would not start.
	if info, err := os.Stat(dir); err != nil || !info.ModTime().Equal(before) {
		t.Error("the key directory was written to")
	}
}

func TestServerCertificateIsRenewedInTimeAndForNewHosts(t *testing.T) {
	t.Parallel()
	c := housetest.NewClock()
	dir := t.TempDir()
	a, err := identity.OpenAuthority(dir, c.Now)
	if err != nil {
		t.Fatal(err)
	}
	first := serverCert(t, a, nil)
	if again := serverCert(t, a, nil); again != first {
		t.Error("the certificate changed without a reason")
	}
	withHost := serverCert(t, a, []string{"pacs.example.org"})
	if withHost == first {
		t.Error("a new host did not get a new certificate")
	}
	c.Advance(2*365*24*time.Hour - 30*24*time.Hour)
	if serverCert(t, a, []string{"pacs.example.org"}) == withHost {
		t.Error("the certificate was not renewed 30 days before its end")
	}
}

func serverCert(t *testing.T, a *identity.Authority, hosts []string) string {
	t.Helper()
	s, err := identity.NewServerCertificate(a, hosts)
	if err != nil {
		t.Fatal(err)
	}
	var cert *tls.Certificate
	if cert, err = s.Get(); err != nil {
		t.Fatal(err)
	}
	return string(cert.Leaf.Raw)
}

func TestPasswordsAreCheckedAgainstTheirHash(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	ctx := context.Background()
	if err := r.AddPerson(ctx, "ada", identity.Administrator, "too short"); fault.Of(err) != fault.Invalid {
		t.Errorf("a short password was taken: %v", err)
	}
	if has, _ := r.HasAdministrator(ctx); has {
		t.Error("there is an administrator before one was added")
	}
	if err := r.AddPerson(ctx, "ada", identity.Administrator, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	if err := r.AddPerson(ctx, "ada", identity.Administrator, "another horse battery"); fault.Of(err) != fault.Conflict {
		t.Errorf("the name was taken twice: %v", err)
	}
	for _, tc := range []struct {
		name, password string
		want           bool
	}{
		{"ada", "correct horse battery", true}, {"ada", "correct horse batterY", false}, {"ada", "", false},
		{"eve", "correct horse battery", false}, {"eve", "", false}, {"ada", strings.Repeat("x", 5000), false},
	} {
		if ok, err := r.CheckPassword(ctx, tc.name, tc.password); err != nil || ok != tc.want {
			t.Errorf("%s with a password of %d bytes: %v, %v", tc.name, len(tc.password), ok, err)
		}
	}
}

func TestShortKeysAreBoundOnlyWhereThatIsSaid(t *testing.T) {
	t.Parallel()
	r, _, _ := open(t)
	register(t, r, identity.Device{AETitle: "OLD1"})
	register(t, r, identity.Device{AETitle: "NEW1"}, selfSigned(t, 2048))
	short := selfSigned(t, 1024)

	if err := r.Bind(t.Context(), "OLD1", short); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "--insecure-short-key") {
		t.Errorf("bind: %v", err)
	}
	pending := identity.Pending{CallingAETitle: "OLD2", Address: "192.0.2.1", Certificate: short}
	if err := r.Remember(t.Context(), pending, 10); err != nil {
		t.Fatal(err)
	}
	list, err := r.ListPending(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if err := r.Approve(t.Context(), list[0].ID, identity.Device{}); fault.Of(err) != fault.Invalid {
		t.Errorf("approve: %v", err)
	}
	if _, err := r.Device(t.Context(), "OLD2"); fault.Of(err) != fault.NotFound {
		t.Errorf("a refused approval registered the device: %v", err)
	}

	if err := r.InsecureApprove(t.Context(), list[0].ID, identity.Device{}); err != nil {
		t.Fatal(err)
	}
	for title, want := range map[string]string{"OLD2": "RSA key of 1024 bits", "NEW1": ""} {
		d, err := r.Device(t.Context(), title)
		if err != nil || len(d.Certificates) != 1 || d.Certificates[0].Weakness != want {
			t.Errorf("%s: %+v, %v; want %q", title, d, err, want)
		}
	}
}

// selfSigned is a certificate with an RSA key of so many bits.
func selfSigned(t *testing.T, bits int) *x509.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
