package gate

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/patch"
	"collimator/internal/policy"
)

func patchOf(t *testing.T, name string) patch.Patch {
	t.Helper()
	p, ok := patch.Named(name)
	if !ok {
		t.Fatalf("there is no patch %s", name)
	}
	return p
}

func TestAPatchKeepsAwayWhatItsWeaknessNeedsAndTheRecordNamesIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("CT1", policy.Store, policy.Query)
	a := s.mustDial("CT1", ct, uid.StudyRootFind)

	wrong := image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")
	wrong.Set(dicom.NewElement(tag.Rows, dicom.UL, []byte{0, 0, 1, 0}))
	if got := store(t, a, wrong); got.Code != dimse.CannotUnderstand {
		t.Errorf("an image: %s", got)
	}
	keys := query(t, "STUDY", map[tag.Tag]string{tag.StudyInstanceUID: ""})
	keys.Set(dicom.NewText(tag.RequestAttributesSequence, dicom.LO, "x"))
	if status := asked(t, a, keys); status.Code.Class() != dimse.ClassFailure {
		t.Errorf("a query: %s", status)
	}
	if n := len(s.behind.Archive.All()); n > 0 {
		t.Errorf("%d images arrived", n)
	}

	var reasons []string
	for _, r := range s.Records(t) {
		if r.Outcome != audit.Success {
			reasons = append(reasons, r.Reason)
		}
	}
	for _, want := range []string{"Patch geometry (CVE-2026-5442", "Patch keys (CVE-2026-44628)"} {
		if !slices.ContainsFunc(reasons, func(r string) bool { return strings.Contains(r, want) }) {
			t.Errorf("no record names %q: %q", want, reasons)
		}
	}
}

// asked sends a query and gives its status.
func asked(t *testing.T, a *dimse.Association, keys *dicom.DataSet) dimse.Status {
	t.Helper()
	for _, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: keys}) {
		if err != nil {
			return statusIn(dimse.Status{}, err)
		}
	}
	return dimse.Status{}
}

func TestAPatchedTransferSyntaxIsNotNegotiated(t *testing.T) {
	t.Parallel()
	for on, want := range map[bool]string{false: uid.JPEGLSLossless, true: native} {
		s := newSite(t, "", dimsetest.Options{Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			return dimse.Negotiate(rq, dimse.Support{
				TransferSyntaxes: func(string) []string { return []string{uid.JPEGLSLossless, native} },
			}), nil
		}})
		s.device("CT1", policy.Store)
		if _, err := SetPatch(s.gate.File, "PACS", patchOf(t, "jpeg-ls"), on); err != nil {
			t.Fatal(err)
		}
		s.gate.look()
		s.gate.look()
		a, err := dimse.Dial(t.Context(), s.address, dimse.Config{
			CallingAETitle: "CT1", CalledAETitle: "PACS", Contexts: dimse.Propose([]string{ct}, []string{uid.JPEGLSLossless, native}, false),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Abort()
		if got := a.Contexts()[0].TransferSyntax; got != want {
			t.Errorf("on %v: %s", on, got)
		}
	}
}

func TestAPatchIsWrittenWhereItIsNotAsByDefault(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), File)
	text := "routes:\n  - name: PACS # the old one\n    protect: OLDPACS@10.0.0.5:104\n    rules:\n      - name: a\n        who: [CT1]\n        allow: [store]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		patch   string
		on      bool
		changed bool
		want    string
	}{
		{"geometry", true, false, text},
		{"geometry", false, true, strings.Replace(text, "    rules:", "    patches:\n      geometry: false\n    rules:", 1)},
		{"jpeg-ls", true, true, strings.Replace(text, "    rules:", "    patches:\n      geometry: false\n      jpeg-ls: true\n    rules:", 1)},
		{"geometry", true, true, strings.Replace(text, "    rules:", "    patches:\n      jpeg-ls: true\n    rules:", 1)},
		{"jpeg-ls", false, true, text},
	} {
		changed, err := SetPatch(path, "PACS", patchOf(t, c.patch), c.on)
		if err != nil || changed != c.changed {
			t.Errorf("%s %v: changed %v, %v", c.patch, c.on, changed, err)
		}
		holds(t, path, c.want)
	}
	if _, err := SetPatch(path, "PACS", patchOf(t, "nesting"), false); fault.Of(err) != fault.Invalid {
		t.Errorf("what is always in force: %v", err)
	}
	if _, err := SetPatch(path, "NONE", patchOf(t, "geometry"), false); fault.Of(err) != fault.NotFound {
		t.Errorf("a route that is not there: %v", err)
	}
}

func TestWhatIsNotAsByDefaultIsSaidOfARoute(t *testing.T) {
	t.Parallel()
	e := Explain(Route{
		Name: "PACS", Protect: "OLDPACS@10.0.0.5:104", Patches: map[string]bool{"geometry": false, "markup": true, "pam": true},
		Rules: []Rule{{Name: "a", Who: []string{"CT1"}, Allow: []string{"store"}}},
	}, House{Devices: []policy.Principal{{Name: "CT1"}}})
	got := strings.Join(e.Lines(), "\n")
	for _, want := range []string{"unsafe: the patch geometry is off", "note: the patch markup is on"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "pam") {
		t.Errorf("what is as by default is remarked on:\n%s", got)
	}
}

// A patch that looks at the first frames alone is none.
func TestAFragmentThatAPatchRefusesIsFoundWhereverItStands(t *testing.T) {
	t.Parallel()
	for frames, want := range map[int]dimse.StatusCode{0: dimse.CannotUnderstand, 9: dimse.CannotUnderstand, -1: dimse.Success} {
		s := newSite(t, "", dimsetest.Options{Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			return dimse.Negotiate(rq, dimsetest.Support()), nil
		}})
		s.device("CT1", policy.Store)
		a, err := dimse.Dial(t.Context(), s.address, dimse.Config{
			CallingAETitle: "CT1", CalledAETitle: "PACS", Contexts: dimse.Propose([]string{ct}, []string{uid.JPEGBaseline8Bit}, false),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Abort()

		fragments := slices.Repeat([][]byte{bytes.Repeat([]byte{0xFF, 0xD8, 0xFF, 0xDA}, 8<<10)}, max(frames, 1))
		if frames >= 0 {
			fragments = append(fragments, []byte("P7\nWIDTH 1\n  "))
		}
		ds := image(t, "1.2.3.1", "1.2.3", "ZZPHI-1")
		ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, fragments...))
		var b bytes.Buffer
		if err := dicom.Encode(&b, ds, uid.JPEGBaseline8Bit); err != nil {
			t.Fatal(err)
		}
		got := statusIn(a.Store(t.Context(), dimse.StoreRequest{
			SOPClassUID: ct, SOPInstanceUID: "1.2.3.1", TransferSyntax: uid.JPEGBaseline8Bit, Data: &b,
		}))
		if got.Code != want || frames >= 0 && len(s.behind.Archive.All()) > 0 {
			t.Errorf("behind %d frames: %s, %d arrived", frames, got, len(s.behind.Archive.All()))
		}
		if frames >= 0 && !strings.Contains(s.log.String()+strings.Join(reasons(t, s), "\n"), "atch pam") {
			t.Errorf("behind %d frames: no record names the patch: %q", frames, reasons(t, s))
		}
	}
}

// reasons are those of the records.
func reasons(t *testing.T, s *site) (list []string) {
	t.Helper()
	for _, r := range s.Records(t) {
		list = append(list, r.Reason)
	}
	return list
}

// A procedure step stands in the worklist of the system behind, for whoever looks at its pages.
func TestAPatchLooksAtWhatIsNoObjectToo(t *testing.T) {
	t.Parallel()
	var came atomic.Int32
	s := newSite(t, "", dimsetest.Options{Mux: func(m *dimse.Mux) {
		m.HandleN(dimse.NCreate, func(context.Context, *dimse.Association, *dimse.NRequest) dimse.NResponse {
			came.Add(1)
			return dimse.NResponse{}
		}, mpps)
	}})
	s.gate.take([]Route{{
		Name: "PACS", Protect: "OLDPACS@" + s.behind.Address, Associations: 4, Waiting: 8, Wait: time.Minute, Patches: map[string]bool{"markup": true},
		Rules: []Rule{{Name: "steps", Who: []string{"CT1"}, Allow: []string{"performed"}}},
	}})
	s.gate.lookUp(context.Background())
	s.device("CT1")
	a := s.mustDial("CT1", mpps)
	for text, want := range map[string]int32{"ZZPHI a<b": 1, "ZZPHI <script>": 0} {
		came.Store(0)
		ds := dicom.NewDataSet()
		ds.Set(dicom.NewText(tag.PerformedProcedureStepDescription, dicom.LO, text))
		_, err := a.N(t.Context(), dimse.NRequest{Operation: dimse.NCreate, SOPClassUID: mpps, SOPInstanceUID: "1.2.3.4", DataSet: ds})
		if (err == nil) != (want == 1) || came.Load() != want {
			t.Errorf("%s: %v, %d arrived", text, err, came.Load())
		}
	}
}
