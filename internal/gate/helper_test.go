package gate

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/dimse/ul"
	"collimator/internal/archive"
	"collimator/internal/firstwrite"
	"collimator/internal/guard"
	"collimator/internal/house/housetest"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/state"
)

const (
	ct     = uid.CTImageStorage
	mr     = uid.MRImageStorage
	native = uid.ExplicitVRLittleEndian
)

// site is a gate with a route, PACS, in front of a PACS that takes everybody.
type site struct {
	testing.TB
	*housetest.Register
	gate    *Gate
	guard   *guard.Guard
	behind  *dimsetest.Server
	address string
	log     *housetest.Log

	inspect func(archive.Inspected) archive.Inspection
	memory  *firstwrite.Memory
	states  *state.Register
	held    chan string                  // SOP Instance UIDs and the file's bytes
	asked   chan *dimse.AssociateRequest // for associations, of the PACS
}

// newSite starts it. The rules are lines of YAML below "rules:"; empty ones let every
// registered device do what its registration grants.
func newSite(t testing.TB, rules string, o dimsetest.Options) *site {
	t.Helper()
	s := &site{TB: t, Register: housetest.NewRegister(t), log: housetest.NewLog(t), asked: make(chan *dimse.AssociateRequest, 100), held: make(chan string, 100)}
	o.AETitle = "OLDPACS"
	if o.Admit == nil {
		o.Admit = func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			return dimse.Negotiate(rq, everything()), nil
		}
	}
	admit := o.Admit
	o.Admit = func(ctx context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		s.asked <- rq
		return admit(ctx, rq)
	}
	s.behind = dimsetest.NewServer(o)
	t.Cleanup(s.behind.Close)

	log := slog.New(slog.NewTextHandler(s.log, nil))
	s.guard = guard.New(guard.Options{Registry: s.Registry, Trail: s.Trail, Log: log, Pending: 10, Now: s.Clock.Now})
	file := filepath.Join(t.TempDir(), File)
	s.write(file, rules)
	cert, err := identity.NewServerCertificate(s.Authority, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.states = state.New(s.Clock.Now)
	s.memory = firstwrite.New(s.DB, log, s.Clock.Now)
	egress := &guard.Egress{AETitle: "COLLIMATOR", Registry: s.Registry, Certificate: cert.Get, Guard: s.guard}
	s.gate, err = New(Options{
		File: file, Mux: s.guard.NewMux(), Log: log, Now: s.Clock.Now, Inspect: s.look,
		Memory: s.memory, States: s.states, Spool: t.TempDir(), Hold: s.hold, Room: func() error { return nil },
		DB: s.DB, Registers: s.Registers, Outgoing: s.guard.Outgoing, Destination: egress.Dialer,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.gate.Close)
	s.address = housetest.Listen(t, &dimse.Server{
		Admit: func(ctx context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			if behind := s.gate.Behind(rq); behind != nil {
				return s.guard.Admit(ctx, rq, behind)
			}
			return s.guard.Admit(ctx, rq, s.gate.Service(rq.CalledAETitle))
		},
		OnAssociation: s.gate.Opened,
	})
	return s
}

// everything supports every class in the native syntaxes and every role.
func everything() dimse.Support {
	return dimse.Support{
		TransferSyntaxes: func(string) []string { return uid.NativeSyntaxes() },
		RequestorOrder:   true,
		Roles:            func(string) (bool, bool) { return true, true },
	}
}

func (s *site) look(_ context.Context, i archive.Inspected) archive.Inspection {
	if s.inspect == nil {
		return archive.Inspection{}
	}
	return s.inspect(i)
}

func (s *site) hold(_ context.Context, route string, in archive.Incoming, why archive.Reason) (bool, error) {
	ds, err := dicom.Decode(in.Data, dicom.DecodeOptions{TransferSyntax: in.TransferSyntaxUID})
	if err != nil {
		s.Error(err)
		return false, err
	}
	what := ds.Text(tag.StudyDescription)
	if why != archive.AtRoute {
		what = string(why)
	}
	s.held <- fmt.Sprintf("%s %s from %s: %s", route, in.SOPInstanceUID, in.Source.Principal, what)
	return true, nil
}

// write writes the file with the routes.
func (s *site) write(file, rules string) {
	s.Helper()
	if rules == "" {
		rules = "      - {name: registered, registered: true}\n"
	}
	text := fmt.Sprintf("routes:\n  - name: PACS\n    protect: OLDPACS@%s\n    rules:\n%s", s.behind.Address, rules)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
}

// device registers a device without TLS.
func (s *site) device(title string, verbs ...policy.Verb) {
	s.Helper()
	err := s.Registry.Put(s.Context(), identity.Device{
		AETitle: title, Address: "127.0.0.1", Verbs: verbs, PlaintextUntil: s.Clock.Now().Add(time.Hour),
	})
	if err != nil {
		s.Fatal(err)
	}
}

// dial opens an association to the route; classes of objects are for C-STORE and, with
// roles, for C-GET.
func (s *site) dial(title string, classes ...string) (*dimse.Association, error) {
	config := dimse.Config{CallingAETitle: title, CalledAETitle: "PACS", Contexts: dimse.Propose(classes, []string{native}, false)}
	for _, class := range classes {
		if uid.Storage(class) {
			config.Roles = append(config.Roles, ul.RoleSelection{SOPClassUID: class, SCU: true, SCP: true})
		}
	}
	a, err := dimse.Dial(s.Context(), s.address, config)
	if err == nil {
		s.Cleanup(a.Abort)
	}
	return a, err
}

func (s *site) mustDial(title string, classes ...string) *dimse.Association {
	s.Helper()
	a, err := s.dial(title, classes...)
	if err != nil {
		s.Fatal(err)
	}
	return a
}

// image is a CT image of a study and a patient.
func image(t testing.TB, instance, study, patient string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	for _, f := range []struct {
		tag   tag.Tag
		value string
	}{
		{tag.SOPClassUID, ct}, {tag.SOPInstanceUID, instance}, {tag.Modality, "CT"}, {tag.PatientName, "ZZPHI^GATE"},
		{tag.PatientID, patient}, {tag.StudyInstanceUID, study}, {tag.SeriesInstanceUID, study + ".1"},
	} {
		if err := ds.SetText(f.tag, f.value); err != nil {
			t.Fatal(err)
		}
	}
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, bytes.Repeat([]byte{7}, 300<<10)))
	return ds
}

// store sends an image and gives the status.
func store(t testing.TB, a *dimse.Association, ds *dicom.DataSet) dimse.Status {
	t.Helper()
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, native); err != nil {
		t.Fatal(err)
	}
	return send(t, a, ds.Text(tag.SOPInstanceUID), b.Bytes())
}

// send sends bytes as an image.
func send(t testing.TB, a *dimse.Association, instance string, data []byte) dimse.Status {
	t.Helper()
	status, err := a.Store(t.Context(), dimse.StoreRequest{
		SOPClassUID: ct, SOPInstanceUID: instance, TransferSyntax: native, Data: bytes.NewReader(data),
	})
	return statusIn(status, err)
}

// statusIn is the status of an answer that may be an error.
func statusIn(status dimse.Status, err error) dimse.Status {
	if answer, ok := err.(*dimse.StatusError); ok {
		return answer.Status
	}
	if err != nil {
		return dimse.Status{Code: 0xFFFF, Cause: err}
	}
	return status
}

// query is a C-FIND identifier; values are keywords and values in turn.
func query(t testing.TB, level string, keys map[tag.Tag]string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	keys[tag.QueryRetrieveLevel] = level
	for k, v := range keys {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}
