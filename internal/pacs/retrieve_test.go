package pacs

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/synth"
)

func TestUniqueKeysOfARetrieval(t *testing.T) {
	t.Parallel()
	const patientGet, studyGet = uid.PatientRootGet, uid.StudyRootGet
	all := map[dicom.Tag]string{tag.PatientID: "P", tag.StudyInstanceUID: "1.1", tag.SeriesInstanceUID: "1.1.1", tag.SOPInstanceUID: "1.1.1.1"}
	only := func(tags ...dicom.Tag) map[dicom.Tag]string {
		out := map[dicom.Tag]string{}
		for _, k := range tags {
			out[k] = all[k]
		}
		return out
	}
	const p, st, se, im = tag.PatientID, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SOPInstanceUID
	for name, tc := range map[string]struct {
		class, level string
		keys         map[dicom.Tag]string
		relational   bool
		ok           bool
	}{
		"patient":                            {patientGet, "PATIENT", only(p), false, true},
		"patient without key":                {patientGet, "PATIENT", only(), false, false},
		"patient in the study root":          {studyGet, "PATIENT", only(p), false, false},
		"study of patient":                   {patientGet, "STUDY", only(p, st), false, true},
		"study of patient, patient missing":  {patientGet, "STUDY", only(st), false, false},
		"the same, relational":               {patientGet, "STUDY", only(st), true, true},
		"study":                              {studyGet, "STUDY", only(st), false, true},
		"study, patient ignored":             {studyGet, "STUDY", only(p, st), false, true},
		"study without key":                  {studyGet, "STUDY", only(), false, false},
		"study without key, relational":      {studyGet, "STUDY", only(p), true, false},
		"study with a key below":             {studyGet, "STUDY", only(st, se), false, false},
		"study with a key below, relational": {studyGet, "STUDY", only(st, im), true, false},
		"series":                             {studyGet, "SERIES", only(st, se), false, true},
		"series, study missing":              {studyGet, "SERIES", only(se), false, false},
		"series, study missing, relational":  {studyGet, "SERIES", only(se), true, true},
		"image":                              {studyGet, "IMAGE", only(st, se, im), false, true},
		"image, series missing":              {studyGet, "IMAGE", only(st, im), false, false},
		"image alone, relational":            {studyGet, "IMAGE", only(im), true, true},
		"image of a patient":                 {patientGet, "IMAGE", only(p, st, se, im), false, true},
		"no level":                           {studyGet, "", only(st), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values := maps.Clone(tc.keys)
			values[tag.QueryRetrieveLevel] = tc.level
			q, err := retrieveQuery(&dimse.RetrieveRequest{SOPClassUID: tc.class, Identifier: keys(t, values), Options: dimse.QueryOptions{Relational: tc.relational}})
			if tc.ok != (err == nil) || err != nil && fault.Of(err) != fault.Invalid {
				t.Fatalf("got %v", err)
			}
			if want := tc.keys[p]; err == nil && (tc.class == studyGet && q.PatientID != "" || tc.class == patientGet && q.PatientID != want) {
				t.Errorf("patient %q", q.PatientID)
			}
		})
	}
	if _, err := retrieveQuery(&dimse.RetrieveRequest{SOPClassUID: studyGet}); fault.Of(err) != fault.Invalid {
		t.Errorf("without identifier: %v", err)
	}
}

func TestListsOfUIDsInARetrieval(t *testing.T) {
	t.Parallel()
	q, err := retrieveQuery(&dimse.RetrieveRequest{SOPClassUID: uid.StudyRootGet, Identifier: keys(t, map[dicom.Tag]string{tag.QueryRetrieveLevel: "STUDY", tag.StudyInstanceUID: `1.1\1.2\1.3`})})
	if err != nil || len(q.StudyUIDs) != 3 {
		t.Errorf("%d studies: %v", len(q.StudyUIDs), err)
	}
}

// receive fetches a study over one association in some transfer syntaxes.
func receive(n *node, class, study string, syntaxes ...string) (map[string][]byte, dimse.RetrieveResult, error) {
	return receiveIn(n, class, study, syntaxes)
}

// receiveIn proposes several contexts of the class.
func receiveIn(n *node, class, study string, contexts ...[]string) (map[string][]byte, dimse.RetrieveResult, error) {
	a := n.dial(func(c *dimse.Config) {
		c.Contexts = dimse.Propose([]string{uid.StudyRootGet}, []string{uid.ExplicitVRLittleEndian}, false)
		for _, syntaxes := range contexts {
			c.Contexts = append(c.Contexts, ul.ProposedContext{AbstractSyntax: class, TransferSyntaxes: syntaxes})
		}
		for i := range c.Contexts {
			c.Contexts[i].ID = uint8(2*i + 1)
		}
		c.Roles = []ul.RoleSelection{{SOPClassUID: class, SCU: true, SCP: true}}
	})
	got := map[string][]byte{}
	result, err := a.Get(n.Context(), dimse.GetRequest{SOPClassUID: uid.StudyRootGet, Identifier: keys(n.T, map[dicom.Tag]string{tag.QueryRetrieveLevel: "STUDY", tag.StudyInstanceUID: study}),
		Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			b, err := io.ReadAll(rq.Data)
			if err != nil {
				return dimse.ProcessingFailure.Because(err)
			}
			got[rq.SOPInstanceUID] = b
			return dimse.Status{}
		}})
	return got, result, err
}

func TestRetrievedInstancesAreWhatWasStored(t *testing.T) {
	t.Parallel()
	n := newNode(t, nil)
	files := n.fill(synth.CT, small())
	got, _, err := receive(n, uid.CTImageStorage, study(files[0]), uid.ExplicitVRLittleEndian)
	if err != nil || len(got) != len(files) {
		t.Fatalf("%d instances: %v", len(got), err)
	}
	for _, f := range files {
		if !bytes.Equal(got[f.DataSet.Text(tag.SOPInstanceUID)], synth.DataSet(f)) {
			t.Error("an instance was changed")
		}
	}
}

func TestInstancesAreConvertedForAReceiverThatTakesNativeOnly(t *testing.T) {
	t.Parallel()
	n := newNode(t, nil)
	o := small()
	native := synth.First(synth.US, o)
	o.TransferSyntax, o.OffsetTable = uid.RLELossless, synth.NoTable
	files := n.fill(synth.US, o)
	got, _, err := receive(n, uid.UltrasoundMultiFrameImageStorage, study(files[0]), uid.ImplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	ds, err := dicom.Decode(bytes.NewReader(got[files[0].DataSet.Text(tag.SOPInstanceUID)]), dicom.DecodeOptions{TransferSyntax: uid.ImplicitVRLittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	have, _ := ds.Get(tag.PixelData)
	want, _ := native.DataSet.Get(tag.PixelData)
	if !bytes.Equal(have.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes of pixel data, want %d", len(have.Bytes()), len(want.Bytes()))
	}
}

func TestWhatCannotBeConvertedFailsAlone(t *testing.T) {
	t.Parallel()
	n := newNode(t, nil)
	files := n.fill(synth.CT, small())
	alien := files[0].DataSet.Clone()
	if err := alien.SetText(tag.SOPInstanceUID, "1.2.3.4"); err != nil {
		t.Fatal(err)
	}
	alien.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("no JPEG 2000")))
	_, err := n.Archive.Ingest(t.Context(), archive.Incoming{TransferSyntaxUID: uid.JPEG2000Lossless, Data: bytes.NewReader(synth.Encode(alien, uid.JPEG2000Lossless))})
	if err != nil {
		t.Fatal(err)
	}
	got, result, _ := receive(n, uid.CTImageStorage, study(files[0]), uid.ImplicitVRLittleEndian)
	if len(got) != len(files) || result.SubOperations.Failed != 1 || len(result.FailedSOPInstanceUIDs) != 1 || result.FailedSOPInstanceUIDs[0] != "1.2.3.4" {
		t.Errorf("%d instances, %+v", len(got), result)
	}
}

// An object that is not decoded goes as it is where the receiver offers that beside
// what is native, in whatever context it does.
func TestWhatCannotBeConvertedIsSentAsItIs(t *testing.T) {
	t.Parallel()
	native := []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}
	mixed := append(native[:2:2], uid.RLELossless, uid.JPEG2000Lossless)
	for name, contexts := range map[string][][]string{
		"a context for all that is compressed": {native, {uid.RLELossless, uid.JPEG2000Lossless}},
		"two contexts for everything":          {mixed, mixed},
		"a native context behind a mixed one":  {mixed, {uid.ExplicitVRLittleEndian}},
	} {
		n := newNode(t, nil)
		files := n.fill(synth.CT, small())
		alien := files[0].DataSet.Clone()
		if err := alien.SetText(tag.SOPInstanceUID, "1.2.3.4"); err != nil {
			t.Fatal(err)
		}
		alien.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, []byte("no JPEG 2000")))
		stored := synth.Encode(alien, uid.JPEG2000Lossless)
		if _, err := n.Archive.Ingest(t.Context(), archive.Incoming{TransferSyntaxUID: uid.JPEG2000Lossless, Data: bytes.NewReader(stored)}); err != nil {
			t.Fatal(err)
		}

		got, result, err := receiveIn(n, uid.CTImageStorage, study(files[0]), contexts...)
		if err != nil || len(got) != len(files)+1 || result.SubOperations.Failed != 0 {
			t.Errorf("%s: %d instances, %+v, %v", name, len(got), result, err)
		}
		if !bytes.Equal(got["1.2.3.4"], stored) {
			t.Errorf("%s: what came is not what was stored", name)
		}
	}
}

// TestFrameDamagedInTheMiddleFailsAlone: the object before and the one behind
// come, over the same association.
func TestFrameDamagedInTheMiddleFailsAlone(t *testing.T) {
	t.Parallel()
	n := newNode(t, nil)
	o := small()
	o.TransferSyntax, o.OffsetTable = uid.RLELossless, synth.NoTable
	files := n.fill(synth.US, o)
	good := files[0].DataSet
	el, _ := good.Get(tag.PixelData)
	frames := el.Fragments()
	for _, instance := range []string{"1.2.3.4", "1.2.3.5"} {
		ds := good.Clone()
		if err := ds.SetText(tag.SOPInstanceUID, instance); err != nil {
			t.Fatal(err)
		}
		if instance == "1.2.3.4" {
			damaged := slices.Clone(frames)
			damaged[len(damaged)-1] = []byte("no RLE")
			ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, damaged...))
		}
		if _, err := n.Archive.Ingest(t.Context(), archive.Incoming{
			TransferSyntaxUID: uid.RLELossless, Data: bytes.NewReader(synth.Encode(ds, uid.RLELossless)),
		}); err != nil {
			t.Fatal(err)
		}
	}

	got, result, err := receive(n, uid.UltrasoundMultiFrameImageStorage, study(files[0]), uid.ExplicitVRLittleEndian)
	if err != nil && statusOf(err) == 0 {
		t.Fatalf("the association ended: %v", err)
	}
	if len(got) != len(files)+1 || result.SubOperations.Failed != 1 || !slices.Equal(result.FailedSOPInstanceUIDs, []string{"1.2.3.4"}) {
		t.Errorf("%d instances, %+v", len(got), result)
	}
}

func TestMoveGoesToItsDestinationOnly(t *testing.T) {
	t.Parallel()
	n, other := newNode(t, nil), newNode(t, nil)
	files := n.fill(synth.CT, small())
	n.to.put("OTHER", dimse.Dialer{Address: other.address, Config: dimse.Config{CallingAETitle: ownTitle, CalledAETitle: "OTHER"}})
	n.to.put("DEAD", broken{})
	a := n.dial(nil, uid.StudyRootMove)
	move := func(to string, ds *dicom.DataSet) (dimse.RetrieveResult, error) {
		return a.Move(t.Context(), dimse.MoveRequest{SOPClassUID: uid.StudyRootMove, MoveDestination: to, Identifier: ds})
	}
	one := keys(t, map[dicom.Tag]string{tag.QueryRetrieveLevel: "STUDY", tag.StudyInstanceUID: study(files[0])})
	if _, err := move("NOBODY", one); statusOf(err) != dimse.MoveDestinationUnknown {
		t.Errorf("to nobody: %v", err)
	}
	if r, err := move("DEAD", one); err == nil || int(r.SubOperations.Failed) != len(files) {
		t.Errorf("to a destination that is down: %+v %v", r.SubOperations, err)
	}
	if _, err := move("OTHER", keys(t, map[dicom.Tag]string{tag.QueryRetrieveLevel: "STUDY"})); statusOf(err) != dimse.DataSetDoesNotMatchSOPClass {
		t.Errorf("without key: %v", err)
	}
	if r, err := move("OTHER", one); err != nil || int(r.SubOperations.Completed) != len(files) {
		t.Errorf("%+v %v", r.SubOperations, err)
	}
	if got, _, err := receive(other, uid.CTImageStorage, study(files[0]), uid.ExplicitVRLittleEndian); err != nil || len(got) != len(files) {
		t.Errorf("%d instances arrived: %v", len(got), err)
	}
}

func TestFindAnswersWithinItsLimit(t *testing.T) {
	t.Parallel()
	n := newNode(t, func(o *Options) { o.FindMatches = 3 })
	for seed := range uint64(3) {
		o := small()
		o.Seed = seed
		n.fill(synth.DX, o)
	}
	a := n.dial(nil, uid.StudyRootFind, uid.PatientRootFind)
	find := func(class string, ds *dicom.DataSet) (matches int, err error) {
		for _, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: class, Identifier: ds}) {
			if err != nil {
				return matches, err
			}
			matches++
		}
		return matches, nil
	}
	everything := map[dicom.Tag]string{tag.QueryRetrieveLevel: "STUDY", tag.StudyInstanceUID: "", tag.PatientName: "zzphi*"}
	if got, err := find(uid.StudyRootFind, keys(t, everything)); got != 3 || err != nil {
		t.Errorf("%d matches: %v", got, err)
	}
	o := small()
	o.Seed = 9
	n.fill(synth.DX, o)
	if got, err := find(uid.StudyRootFind, keys(t, everything)); got != 3 || statusOf(err) != dimse.OutOfResources {
		t.Errorf("%d matches: %v", got, err)
	}
	patient := keys(t, map[dicom.Tag]string{tag.QueryRetrieveLevel: "PATIENT", tag.PatientID: ""})
	if got, err := find(uid.PatientRootFind, patient); got != 1 || err != nil {
		t.Errorf("%d patients: %v", got, err)
	}
	if _, err := find(uid.StudyRootFind, patient); statusOf(err) != dimse.DataSetDoesNotMatchSOPClass {
		t.Errorf("a patient in the study root: %v", err)
	}
}

// partly is an archive that matches no keys but the unique ones.
type partly struct{ Archive }

// Unmatched implements KeyMatcher.
func (partly) Unmatched(q archive.Query) []dicom.Tag {
	if q.Keys.Text(tag.Modality) == "" {
		return nil
	}
	return []dicom.Tag{tag.Modality}
}

func TestMatchesSayThatKeysWereNotMatched(t *testing.T) {
	t.Parallel()
	n := newNode(t, func(o *Options) { o.Archive = partly{o.Archive} })
	n.fill(synth.DX, small())
	a := n.dial(nil, uid.StudyRootFind)
	for modality, want := range map[string]bool{"": false, "XX": true} {
		matches := 0
		for m, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: uid.StudyRootFind,
			Identifier: keys(t, map[dicom.Tag]string{tag.QueryRetrieveLevel: "STUDY", tag.StudyInstanceUID: "", tag.Modality: modality})}) {
			if err != nil {
				t.Fatal(err)
			}
			matches++
			if m.OptionalKeys != want {
				t.Errorf("modality %q: FF01H %v", modality, m.OptionalKeys)
			}
		}
		if matches != 1 {
			t.Errorf("modality %q: %d matches", modality, matches)
		}
	}
}

func TestStoreGoesIntoTheArchive(t *testing.T) {
	t.Parallel()
	n := newNode(t, nil)
	f := synth.First(synth.DX, small())
	a := n.dial(nil, uid.DigitalXRayImageStorageForPresentation)
	store := func(instance string, data []byte) dimse.StatusCode {
		_, err := a.Store(t.Context(), dimse.StoreRequest{SOPClassUID: uid.DigitalXRayImageStorageForPresentation, SOPInstanceUID: instance, TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(data)})
		return statusOf(err)
	}
	own, data := f.DataSet.Text(tag.SOPInstanceUID), synth.DataSet(f)
	changed := append(bytes.Clone(data[:len(data)-1]), data[len(data)-1]^1)
	for i, tc := range []struct {
		instance string
		data     []byte
		want     dimse.StatusCode
	}{
		{own, data, dimse.Success}, {own, data, dimse.Success}, {own, changed, dimse.DuplicateSOPInstance},
		{"1.2.3", data, dimse.DataSetDoesNotMatchSOPClass}, {own, data[:100], dimse.CannotUnderstand}, {own, nil, dimse.InvalidSOPInstance},
	} {
		if got := store(tc.instance, tc.data); got != tc.want {
			t.Errorf("store %d: %s, want %s", i, got, tc.want)
		}
	}
}
