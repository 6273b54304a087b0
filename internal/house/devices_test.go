package house

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/enrolment"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

func TestAnExceptionNeedsAnAddressAndAnEnd(t *testing.T) {
	t.Parallel()
	tomorrow := time.Now().AddDate(0, 0, 1).Format(time.DateOnly)
	none := "walk"
	for want, g := range map[string]enrolment.Grant{
		"go together":                         {Plaintext: true, Address: "192.0.2.1"},
		"--plaintext needs --address":         {Plaintext: true, Until: tomorrow},
		"--no-certificate-until needs --addr": {NoCertificateUntil: tomorrow},
		"is over":                             {Plaintext: true, Until: "2020-01-01", Address: "192.0.2.1"},
		"want a date":                         {NoCertificateUntil: "soon", Address: "192.0.2.1"},
		"want an IP address":                  {Address: "host"},
		"want HOST:PORT":                      {Listen: "host"},
		"--move-to":                           {MoveTo: []string{`A\B`}},
		"--allow":                             {Allow: &none},
	} {
		if _, err := GrantedDevice("CT1", g); fault.EndingOf(err) != fault.Misused || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	if d, err := (enrolment.Grant{}).Device("CT1"); err != nil || len(d.Verbs) != 3 {
		t.Errorf("what a modality needs: %v, %v", d.Verbs, err)
	}
}

func TestADeviceIsEnrolledChangedAndRemoved(t *testing.T) {
	t.Parallel()
	in := made(t)
	ctx := t.Context()
	dir := t.TempDir()
	w := Enrolling{AETitle: "CT1", Out: dir, Days: 30, Grant: enrolment.Grant{MoveTo: []string{"WS9"}}}
	d, files, err := in.Enrol(ctx, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{files.Key, files.Cert, files.CA} {
		if _, err := os.Stat(path); err != nil || filepath.Dir(path) != dir {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, _, err := in.Enrol(ctx, w); err == nil || !strings.Contains(err.Error(), "registered already") {
		t.Errorf("a second time: %v", err)
	}
	if advice, err := in.AdviseDevice(ctx, d); err != nil || len(advice) != 1 || !strings.Contains(advice[0], "WS9 is not registered") {
		t.Errorf("advice: %q, %v", advice, err)
	}

	query := "echo,query"
	now, refused, err := in.ChangeDevice(ctx, "CT1", enrolment.Changed{Allow: &query})
	if err != nil || len(d.Verbs) != 3 || len(now.Verbs) != 2 || now.Verbs[1] != policy.Query || len(now.Destinations) != 1 {
		t.Errorf("%v became %v, %v", d, now, err)
	}
	if refused != "" {
		t.Errorf("with a certificate: %s", refused)
	}
	if (enrolment.Changed{}).Empty() == (enrolment.Changed{Allow: &query}).Empty() {
		t.Error("a change is empty, or none is not")
	}

	if _, err := in.Renew(ctx, Renewing{AETitle: "CT1", Out: dir, Days: 30, Revoke: true}); err != nil {
		t.Error(err)
	}
	if err := in.RemoveDevice(ctx, "CT1"); err != nil {
		t.Error(err)
	}
	if _, err := in.Registry.Device(ctx, "CT1"); fault.Of(err) != fault.NotFound {
		t.Errorf("it is there: %v", err)
	}
	if got := recorded(t, in, audit.DeviceChanged); len(got) != 4 {
		t.Errorf("%d records, want 4", len(got))
	}
}

func TestOneAddressIsWrittenInSeveralWays(t *testing.T) {
	t.Parallel()
	if !enrolment.SameAddress("192.0.2.1", "::ffff:192.0.2.1") || enrolment.SameAddress("192.0.2.1", "192.0.2.2") || enrolment.SameAddress("", "") {
		t.Error("addresses are not compared by what they are")
	}
	in := made(t)
	if _, err := in.ApproveDevice(t.Context(), "NOBODY", enrolment.Grant{}, false); err == nil || !strings.Contains(err.Error(), "device pending") {
		t.Errorf("%v", err)
	}
}
