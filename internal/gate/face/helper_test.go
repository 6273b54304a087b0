package face_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/deid"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/dimse/ul"
	"collimator/internal/archive"
	"collimator/internal/disclosure"
	"collimator/internal/firstwrite"
	"collimator/internal/gate"
	"collimator/internal/gate/face"
	"collimator/internal/guard"
	"collimator/internal/house/housetest"
	"collimator/internal/policy"
	"collimator/internal/state"
)

// site is a gate with the face of a route, PACS, in front of a PACS that may misbehave.
type site struct {
	testing.TB
	*housetest.Register
	behind *dimsetest.Server
	gate   *gate.Gate
	guard  *guard.Guard
	web    *httptest.Server
	log    *housetest.Log

	gets, finds atomic.Int32 // that the PACS was asked
	inspect     func(archive.Inspected) archive.Inspection
	mu          sync.Mutex
	titles      map[string]bool // that called the PACS
	held        atomic.Int32
	known       map[string]bool // people
}

// newSite starts it. get, where it is set, answers C-GET in place of the PACS; more are lines of the
// route.
func newSite(t testing.TB, get dimse.RetrieveHandler, more ...string) *site {
	t.Helper()
	return newSiteBehind(t, dimsetest.Options{Mux: func(m *dimse.Mux) {
		if get != nil {
			m.HandleGet(get, uid.StudyRootGet)
		}
	}}, more...)
}

// newMovingSite is newSite with a PACS that has no C-GET, and sends to the gate by C-MOVE.
func newMovingSite(t testing.TB, move func(dimse.Destination) dimse.RetrieveHandler) *site {
	t.Helper()
	to := map[string]dimse.Destination{}
	s := newSiteBehind(t, dimsetest.Options{
		Destinations: to,
		Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			support := dimsetest.Support()
			all := support.TransferSyntaxes
			support.TransferSyntaxes = func(class string) []string {
				if class == uid.StudyRootGet {
					return nil
				}
				return all(class)
			}
			return dimse.Negotiate(rq, support), nil
		},
		Mux: func(m *dimse.Mux) {
			if move != nil {
				m.HandleMove(move(late{to}), uid.StudyRootMove)
			}
		},
	})
	address := housetest.Listen(t, &dimse.Server{
		Admit: func(ctx context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			return s.guard.Admit(ctx, rq, s.gate.Behind(rq))
		},
		OnAssociation: s.gate.Opened,
	})
	to["GATEWEB"] = dimse.Dialer{Address: address, Config: dimse.Config{CallingAETitle: "OLDPACS", CalledAETitle: "GATEWEB"}}
	return s
}

// late is a destination that is known later.
type late struct{ to map[string]dimse.Destination }

// Dial implements dimse.Destination.
func (l late) Dial(ctx context.Context, contexts []ul.ProposedContext) (*dimse.Association, error) {
	return l.to["GATEWEB"].Dial(ctx, contexts)
}

// newSiteBehind starts a site with a PACS of these options.
func newSiteBehind(t testing.TB, o dimsetest.Options, more ...string) *site {
	t.Helper()
	s := &site{TB: t, Register: housetest.NewRegister(t), log: housetest.NewLog(t), titles: map[string]bool{}, known: map[string]bool{}}
	o.AETitle = "OLDPACS"
	o.Interceptor = func(ctx context.Context, call *dimse.Call, next func(context.Context) dimse.Outcome) dimse.Outcome {
		s.mu.Lock()
		s.titles[call.Association.CallingAETitle()] = true
		s.mu.Unlock()
		switch call.Operation {
		case dimse.CGet:
			s.gets.Add(1)
		case dimse.CFind:
			s.finds.Add(1)
		}
		return next(ctx)
	}
	s.behind = dimsetest.NewServer(o)
	t.Cleanup(s.behind.Close)

	log := slog.New(slog.NewTextHandler(s.log, nil))
	s.guard = guard.New(guard.Options{Registry: s.Registry, Trail: s.Trail, Log: log, Now: s.Clock.Now})
	file := filepath.Join(t.TempDir(), gate.File)
	text := fmt.Sprintf("routes:\n  - name: PACS\n    protect: OLDPACS@%s\n    dicomweb: true\n    dicomweb_as: GATEWEB\n    rules: []\n", s.behind.Address)
	for _, line := range more {
		text += "    " + line + "\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	s.gate, err = gate.New(gate.Options{
		File: file, Mux: s.guard.NewMux(), Log: log, Now: s.Clock.Now, Memory: firstwrite.New(s.DB, log, s.Clock.Now),
		States: state.New(s.Clock.Now), Spool: t.TempDir(), Room: func() error { return nil }, DB: s.DB, Registers: s.Registers,
		Outgoing: s.guard.Outgoing, FaceIdle: 2 * time.Second,
		Hold: func(_ context.Context, _ string, in archive.Incoming, _ archive.Reason) (bool, error) {
			s.held.Add(1)
			_, err := io.Copy(io.Discard, in.Data)
			return true, err
		},
		Inspect: func(_ context.Context, i archive.Inspected) archive.Inspection {
			if s.inspect == nil {
				return archive.Inspection{}
			}
			return s.inspect(i)
		},
		Destination: func(context.Context, string) (dimse.Dialer, error) { return dimse.Dialer{}, os.ErrNotExist },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.gate.Close)
	projects := disclosure.NewProjects(nil, bytes.Repeat([]byte{7}, deid.KeySize), deid.Profile{})
	faces := face.New(face.Options{Gate: s.gate, Projects: projects, Dir: t.TempDir(), Log: log, Now: s.Clock.Now})
	t.Cleanup(faces.Close)
	s.web = httptest.NewServer(face.NewHandler(faces, s.guard.InterceptWebAt, dicomweb.Options{TempDir: t.TempDir()}, http.NotFoundHandler()))
	t.Cleanup(s.web.Close)

	return s
}

// roles are those of the people there are.
var roles = map[string]policy.Role{
	"ada": policy.Administrator, "ron": policy.Referrer, "rosa": policy.Researcher, "otto": policy.Auditor,
}

// person registers somebody, once: a password takes its time.
func (s *site) person(who string) {
	s.Helper()
	if !s.known[who] {
		s.known[who] = true
		s.Person(s, who, roles[who])
	}
}

// token makes one for a person who may do what that person may.
func (s *site) token(who string) string {
	s.Helper()
	s.person("ada") // without an administrator nobody is answered
	s.person(who)
	_, secret, err := s.Registry.CreateToken(s.Context(), who, policy.AllVerbs(), nil, time.Hour)
	if err != nil {
		s.Fatal(err)
	}
	return secret
}

func (s *site) client(who string) *dicomweb.Client {
	return &dicomweb.Client{Base: s.web.URL + face.Root("PACS"), Token: s.token(who), HTTP: s.web.Client()}
}

// image is a CT image, by the last part of its UIDs.
func image(t testing.TB, study, series, instance, patient string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	for k, v := range map[tag.Tag]string{
		tag.SOPClassUID: uid.CTImageStorage, tag.SOPInstanceUID: instance, tag.StudyInstanceUID: study, tag.SeriesInstanceUID: series,
		tag.PatientID: patient, tag.PatientName: "ZZPHI^FACE", tag.Modality: "CT", tag.StudyDate: "20260102", tag.SeriesNumber: "1",
		tag.PhotometricInterpretation: "MONOCHROME2", tag.BurnedInAnnotation: "NO",
	} {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	for k, v := range map[tag.Tag]int64{
		tag.SamplesPerPixel: 1, tag.Rows: 64, tag.Columns: 64, tag.BitsAllocated: 8, tag.BitsStored: 8, tag.HighBit: 7, tag.PixelRepresentation: 0,
	} {
		if err := ds.SetInt(k, v); err != nil {
			t.Fatal(err)
		}
	}
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, bytes.Repeat([]byte{9}, 64*64)))
	return ds
}

// has puts images into the PACS.
func (s *site) has(list ...*dicom.DataSet) {
	s.Helper()
	for _, ds := range list {
		if _, err := s.behind.Archive.Add(ds, uid.ExplicitVRLittleEndian); err != nil {
			s.Fatal(err)
		}
	}
}

// get gives the status and the body of an answer.
func (s *site) get(who, path string) (int, string) {
	s.Helper()
	return s.ask(http.MethodGet, s.token(who), path)
}

func (s *site) ask(method, token, path string) (int, string) {
	s.Helper()
	rq, err := http.NewRequest(method, s.web.URL+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	if token != "" {
		rq.Header.Set("Authorization", "Bearer "+token)
	}
	rs, err := s.web.Client().Do(rq)
	if err != nil {
		return 0, err.Error()
	}
	defer rs.Body.Close()
	b, err := io.ReadAll(rs.Body)
	if err != nil {
		return 0, err.Error() // it was broken off
	}
	return rs.StatusCode, string(b)
}

// sending is a PACS that sends what it likes.
func sending(list func() []*dicom.DataSet) dimse.RetrieveHandler { return sendingTo(nil, list) }

// sendingTo is sending to the destination of a C-MOVE.
func sendingTo(to dimse.Destination, list func() []*dicom.DataSet) dimse.RetrieveHandler {
	return func(context.Context, *dimse.Association, *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
		all := list()
		return &dimse.RetrievePlan{Destination: to, Count: len(all), SubOperations: func(yield func(dimse.SubOperation) bool) {
			for _, ds := range all {
				sub := dimse.SubOperation{
					SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID),
					TransferSyntaxes: []string{uid.ExplicitVRLittleEndian},
					Open: func(context.Context, []string) (io.ReadCloser, string, error) {
						var b bytes.Buffer
						err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian)
						return io.NopCloser(&b), uid.ExplicitVRLittleEndian, err
					},
				}
				if !yield(sub) {
					return
				}
			}
		}}, dimse.Status{}
	}
}
