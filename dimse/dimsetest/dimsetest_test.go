package dimsetest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/dimse/ul"
)

func server(t testing.TB, o dimsetest.Options) *dimsetest.Server {
	t.Helper()
	s := dimsetest.NewServer(o)
	t.Cleanup(s.Close)
	return s
}

func dial(t testing.TB, s *dimsetest.Server, cfg dimse.Config) *dimse.Association {
	t.Helper()
	a, err := dimse.Dial(t.Context(), s.Address, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Abort)
	return a
}

// encoded is a small data set as it goes over the wire.
func encoded(t testing.TB, instance string) []byte {
	t.Helper()
	ds := dicom.NewDataSet()
	for k, v := range map[dicom.Tag]string{
		tag.SOPClassUID: uid.CTImageStorage, tag.SOPInstanceUID: instance, tag.StudyInstanceUID: "1.2", tag.SeriesInstanceUID: "1.2.3",
		tag.PatientName: "ZZPHI^PEER", tag.PatientID: "ZZPHI-1",
	} {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func store(t testing.TB, a *dimse.Association, named, instance string) error {
	t.Helper()
	_, err := a.Store(t.Context(), dimse.StoreRequest{
		SOPClassUID: uid.CTImageStorage, SOPInstanceUID: named, TransferSyntax: uid.ExplicitVRLittleEndian,
		Data: bytes.NewReader(encoded(t, instance)),
	})
	return err
}

func identifier(t testing.TB, level string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	for k, v := range map[dicom.Tag]string{tag.QueryRetrieveLevel: level, tag.StudyInstanceUID: "1.2", tag.PatientName: ""} {
		if err := ds.SetText(k, v); err != nil {
			t.Fatal(err)
		}
	}
	return ds
}

func TestWhatIsStoredIsFoundAndComesBack(t *testing.T) {
	t.Parallel()
	s := server(t, dimsetest.Options{})
	cfg := s.Config("SCU", uid.CTImageStorage, uid.StudyRootFind, uid.StudyRootGet)
	cfg.Roles = []ul.RoleSelection{{SOPClassUID: uid.CTImageStorage, SCU: true, SCP: true}}
	a := dial(t, s, cfg)
	for _, instance := range []string{"1.2.3.1", "1.2.3.2"} {
		if err := store(t, a, instance, instance); err != nil {
			t.Fatal(err)
		}
	}

	found := 0
	for m, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: identifier(t, "STUDY")}) {
		if err != nil || m.Identifier.Text(tag.PatientName) != "ZZPHI^PEER" || m.Identifier.Text(tag.RetrieveAETitle) != s.AETitle {
			t.Fatalf("%v", err)
		}
		found++
	}

	got := 0
	result, err := a.Get(t.Context(), dimse.GetRequest{
		SOPClassUID: uid.StudyRootGet, Identifier: identifier(t, "STUDY"),
		Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			b, err := io.ReadAll(rq.Data)
			if err != nil || !bytes.Equal(b, encoded(t, rq.SOPInstanceUID)) {
				t.Errorf("%s: %d bytes, %v", rq.SOPInstanceUID, len(b), err)
			}
			got++
			return dimse.Status{}
		},
	})
	if err != nil || found != 1 || got != 2 || result.SubOperations.Completed != 2 {
		t.Errorf("%d found, %d came back, %+v, %v", found, got, result.SubOperations, err)
	}
}

func TestMoveSendsToTheDestinationOfThatTitle(t *testing.T) {
	t.Parallel()
	to := server(t, dimsetest.Options{AETitle: "VIEWER"})
	from := server(t, dimsetest.Options{Destinations: map[string]dimse.Destination{"VIEWER": to.Destination(dimsetest.DefaultAETitle)}})
	if _, err := from.Archive.Read(bytes.NewReader(encoded(t, "1.2.3.1")), uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	a := dial(t, from, from.Config("SCU", uid.StudyRootMove))
	if _, err := a.Move(t.Context(), dimse.MoveRequest{SOPClassUID: uid.StudyRootMove, MoveDestination: "VIEWER", Identifier: identifier(t, "STUDY")}); err != nil {
		t.Fatal(err)
	}
	if n := len(to.Archive.All()); n != 1 {
		t.Errorf("%d instances arrived", n)
	}

	_, err := a.Move(t.Context(), dimse.MoveRequest{SOPClassUID: uid.StudyRootMove, MoveDestination: "NOBODY", Identifier: identifier(t, "STUDY")})
	if status, ok := errors.AsType[*dimse.StatusError](err); !ok || status.Status.Code != dimse.MoveDestinationUnknown {
		t.Errorf("to nobody: %v", err)
	}
}

func TestAnotherInstanceThanTheRequestNamesIsNotKept(t *testing.T) {
	t.Parallel()
	s := server(t, dimsetest.Options{})
	a := dial(t, s, s.Config("SCU", uid.CTImageStorage))
	for kept := range 2 {
		err := store(t, a, "1.2.3.9", "1.2.3.1")
		status, ok := errors.AsType[*dimse.StatusError](err)
		if !ok || status.Status.Code != dimse.DataSetDoesNotMatchSOPClass || len(s.Archive.All()) != kept {
			t.Errorf("%v, %d kept, want %d", err, len(s.Archive.All()), kept)
		}

		// The second time the data set is there already, under its own name.
		if err := store(t, a, "1.2.3.1", "1.2.3.1"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARetrievalThatNamesNothingIsRefused(t *testing.T) {
	t.Parallel()
	s := server(t, dimsetest.Options{})
	nothing := dicom.NewDataSet()
	if err := nothing.SetText(tag.QueryRetrieveLevel, "STUDY"); err != nil {
		t.Fatal(err)
	}
	_, err := dial(t, s, s.Config("SCU", uid.StudyRootMove)).Move(t.Context(), dimse.MoveRequest{
		SOPClassUID: uid.StudyRootMove, MoveDestination: "VIEWER", Identifier: nothing})
	if status, ok := errors.AsType[*dimse.StatusError](err); !ok || status.Status.Code != dimse.DataSetDoesNotMatchSOPClass {
		t.Errorf("%v", err)
	}
}

func TestAnotherTitleIsRejected(t *testing.T) {
	t.Parallel()
	s := server(t, dimsetest.Options{AETitle: "PACS"})
	cfg := s.Config("SCU", uid.Verification)
	cfg.CalledAETitle = "OTHER"
	_, err := dimse.Dial(t.Context(), s.Address, cfg)
	if reject, ok := errors.AsType[*dimse.RejectError](err); !ok || reject.Reason != ul.CalledAETitleNotRecognized {
		t.Errorf("%v", err)
	}
}
