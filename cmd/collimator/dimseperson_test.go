package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/house/sitetest"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/tlsprofile"
)

// workstation is a registered device that may do everything.
func workstation(x *sitetest.Site, t *testing.T) (address string, config dimse.Config) {
	t.Helper()
	if err := x.In.Registry.Put(t.Context(), identity.Device{AETitle: "WS1", Verbs: policy.Verbs()}); err != nil {
		t.Fatal(err)
	}
	issued, err := x.In.Authority.IssueDevice("WS1", 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.In.Registry.Bind(t.Context(), "WS1", issued.Certificate); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	server := x.Server.AssociationServer(tlsprofile.AssociationServer(x.Server.Certificate.Get))
	go func() { defer close(done); server.Serve(ctx, ln) }()
	t.Cleanup(func() { cancel(); <-done })
	own, err := tls.X509KeyPair(issued.CertPEM, issued.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String(), dimse.Config{
		TLSConfig: tlsprofile.AssociationClient(&own, tlsprofile.Trust{Roots: x.In.Authority.Pool()}), CallingAETitle: "WS1", CalledAETitle: "COLLIMATOR",
		Contexts: dimse.Propose([]string{uid.Verification, uid.StudyRootFind, uid.PatientRootFind, uid.StudyRootGet, uid.SecondaryCaptureImageStorage}, []string{uid.ExplicitVRLittleEndian}, false),
		Roles:    []ul.RoleSelection{{SOPClassUID: uid.SecondaryCaptureImageStorage, SCU: true, SCP: true}},
	}
}

func keys(t *testing.T, level string, pairs map[dicom.Tag]string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.QueryRetrieveLevel, level); err != nil {
		t.Fatal(err)
	}
	for k, v := range pairs {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

// A person at a workstation, named by user identity negotiation, sees and does
// there what the role allows, whatever the workstation may do: a all, s the
// granted study alone, - nothing.
func TestAPersonAtAWorkstationIsHeldToTheRole(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	address, config := workstation(x, t)
	for role, want := range map[string]struct{ find, get, store string }{
		"": {"a", "a", "a"}, "administrator": {"a", "a", "a"}, "radiologist": {"a", "a", "a"}, "technologist": {"a", "a", "a"},
		"referrer": {"s", "s", "-"}, "researcher": {"-", "-", "-"}, "auditor": {"-", "-", "-"}, "vendor": {"-", "-", "-"},
	} {
		cfg := config
		if role != "" {
			cfg.Identity = &ul.UserIdentity{Kind: ul.IdentityUsernamePasscode, Primary: ul.NewSecret([]byte(role)), Secondary: ul.NewSecret([]byte(sitetest.Password))}
		}
		a, err := dimse.Dial(t.Context(), address, cfg)
		if err != nil {
			t.Fatalf("%s: %v", role, err)
		}
		for _, level := range []struct {
			class, level string
			unique       dicom.Tag
			at           string
		}{{uid.StudyRootFind, "STUDY", tag.StudyInstanceUID, "2.25.70"}, {uid.PatientRootFind, "PATIENT", tag.PatientID, "ZZPHI-0"}} {
			got := findAll(t, a, level.class, keys(t, level.level, map[dicom.Tag]string{level.unique: "", tag.PatientName: "ZZPHI*"}), level.unique)
			check(t, role+" "+level.level, want.find, got, level.at)
		}
		check(t, role+" other study", map[string]string{"a": "a", "s": "-", "-": "-"}[want.find],
			findAll(t, a, uid.StudyRootFind, keys(t, "STUDY", map[dicom.Tag]string{tag.StudyInstanceUID: "2.25.71"}), tag.StudyInstanceUID), "")
		for study, cell := range map[string]string{"2.25.70": want.get, "2.25.71": map[string]string{"a": "a", "s": "-", "-": "-"}[want.get]} {
			n := getAll(t, a, study)
			if (n == 3) != (cell == "a" || cell == "s") || n != 0 && n != 3 {
				t.Errorf("%s gets %d images of %s, want %s", role, n, study, cell)
			}
		}
		in := sitetest.Incoming(t, 20, 1)
		_, err = a.Store(t.Context(), dimse.StoreRequest{SOPClassUID: uid.SecondaryCaptureImageStorage, SOPInstanceUID: "2.25.920", TransferSyntax: uid.ExplicitVRLittleEndian, Data: in.Data})
		if (err == nil) != (want.store == "a") {
			t.Errorf("%s stores: %v", role, err)
		}
		a.Release(t.Context())
	}
}

// check compares what was found with a cell of the matrix.
func check(t *testing.T, what, cell string, got []string, granted string) {
	t.Helper()
	ok := false
	switch cell {
	case "a":
		ok = len(got) >= 1
		if granted != "" {
			ok = len(got) >= 2
		}
	case "s":
		ok = len(got) == 1 && got[0] == granted
	case "-":
		ok = len(got) == 0
	}
	if !ok {
		t.Errorf("%s: found %v, want %s", what, got, cell)
	}
}

func findAll(t *testing.T, a *dimse.Association, class string, ds *dicom.DataSet, unique dicom.Tag) (list []string) {
	t.Helper()
	for m, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: class, Identifier: ds}) {
		if refused, ok := errors.AsType[*dimse.StatusError](err); ok && refused.Status.Code == dimse.NotAuthorized {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m.Identifier.Text(unique))
	}
	return list
}

func getAll(t *testing.T, a *dimse.Association, study string) (n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := a.Get(ctx, dimse.GetRequest{SOPClassUID: uid.StudyRootGet, Identifier: keys(t, "STUDY", map[dicom.Tag]string{tag.StudyInstanceUID: study}),
		Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			io.Copy(io.Discard, rq.Data)
			n++
			return dimse.Status{}
		}})
	if _, refused := errors.AsType[*dimse.StatusError](err); err != nil && !refused {
		t.Fatal(err)
	}
	return n
}

// Who is disabled while at a workstation does nothing more there.
func TestAPersonWhoIsDisabledLosesTheWorkstationAtOnce(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	address, config := workstation(x, t)
	config.Identity = &ul.UserIdentity{Kind: ul.IdentityUsernamePasscode, Primary: ul.NewSecret([]byte("radiologist")), Secondary: ul.NewSecret([]byte(sitetest.Password))}
	a, err := dimse.Dial(t.Context(), address, config)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release(t.Context())
	all := keys(t, "STUDY", map[dicom.Tag]string{tag.StudyInstanceUID: ""})
	if n := len(findAll(t, a, uid.StudyRootFind, all, tag.StudyInstanceUID)); n != 2 {
		t.Fatalf("found %d studies", n)
	}
	if err := x.In.Registry.DisablePerson(t.Context(), "radiologist"); err != nil {
		t.Fatal(err)
	}
	if n := len(findAll(t, a, uid.StudyRootFind, all, tag.StudyInstanceUID)); n != 0 {
		t.Errorf("found %d studies after the account ended", n)
	}
}
