package api

import (
	"time"

	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/webapi"
)

// countedUID is how many instances have a UID.
type countedUID struct {
	UID   string `json:"uid"`
	Name  string `json:"name,omitempty"`
	Count int64  `json:"count"`
}

// shownSeries is a series of a study.
type shownSeries struct {
	SeriesInstanceUID string       `json:"seriesInstanceUID"`
	Modality          string       `json:"modality,omitempty"`
	SeriesNumber      *int64       `json:"seriesNumber,omitempty"`
	SeriesDescription string       `json:"seriesDescription,omitempty"`
	BodyPart          string       `json:"bodyPart,omitempty"`
	Instances         int64        `json:"instances"`
	Bytes             int64        `json:"bytes"`
	SOPClasses        []countedUID `json:"sopClasses"`
	TransferSyntaxes  []countedUID `json:"transferSyntaxes"`
	Received          time.Time    `json:"received"` // first instance
	Source            []string     `json:"source"`
}

// priorStudy is another study of the same patient.
type priorStudy struct {
	StudyInstanceUID string   `json:"studyInstanceUID"`
	StudyDate        string   `json:"studyDate,omitempty"`
	Modalities       []string `json:"modalities"`
	StudyDescription string   `json:"studyDescription,omitempty"`
}

// studyLedger is what the ledger says of a study.
type studyLedger struct {
	Covered int   `json:"covered"` // instances that a leaf is about
	Leaves  int64 `json:"leaves"`  // about them
	Size    int64 `json:"size"`    // leaves of the ledger
}

// studyPage is a study with what belongs to it.
type studyPage struct {
	ListedStudy
	Series     []shownSeries `json:"series"` // the first thousand
	Priors     []priorStudy  `json:"priors"` // the newest fifty
	MorePriors bool          `json:"morePriors,omitempty"`
	Quarantine int64         `json:"quarantine"` // entries that are held back
	// Ledger is missing where the study has more instances than are looked up at once.
	Ledger *studyLedger `json:"ledger,omitempty"`
}

// coveredMost is how many instances of a study are looked up in the ledger.
const coveredMost = 20_000

// studyOf is the UID in the path: what is none names nothing.
func studyOf(rq *webapi.Request) (string, error) {
	u := rq.Path("uid")
	if !uid.Tolerable(u) {
		return "", errNoStudy
	}
	return u, nil
}

var errNoStudy = fault.New(fault.NotFound, "api: nothing is stored under this Study Instance UID")

// seen finds a study that the caller may see, and names it for the record.
func (s *Services) seen(rq *webapi.Request) (archive.StudyDetail, audit.Object, error) {
	u, err := studyOf(rq)
	if err != nil {
		return archive.StudyDetail{}, audit.Object{}, err
	}
	d, err := s.Archive.Study(rq.Context(), u, guard.Scope(rq.Context()))

	return d, audit.Object{Study: u, Patient: d.PatientID, PatientIssuer: d.Issuer}, err
}

func (s *Services) study(rq *webapi.Request) (any, error) {
	d, o, err := s.seen(rq)
	if err != nil {
		return nil, err
	}
	o.Matches = len(d.SeriesList)
	if err := searched(rq, "SERIES /studies/"+d.UID, nil, o); err != nil {
		return nil, err
	}

	out := studyPage{
		ListedStudy: s.show(rq, &d.Study), Series: []shownSeries{},
		Priors: []priorStudy{}, MorePriors: d.MorePriors, Quarantine: d.Held,
	}
	for _, x := range d.SeriesList {
		out.Series = append(out.Series, shownSeries{
			SeriesInstanceUID: x.UID, Modality: x.Modality, SeriesNumber: x.Number, SeriesDescription: x.Description, BodyPart: x.BodyPart,
			Instances: x.Instances, Bytes: x.Bytes, Received: x.Received, Source: filled(x.Sources),
			SOPClasses: shownCounts(x.SOPClasses), TransferSyntaxes: shownCounts(x.TransferSyntaxes),
		})
	}
	for _, x := range d.Priors {
		out.Priors = append(out.Priors, priorStudy{x.UID, day(x.Date), filled(x.Modalities), x.Description})
	}
	if d.Instances <= coveredMost {
		out.Ledger, err = s.covered(rq, d.UID)
	}

	return out, err
}

func shownCounts(list []archive.CountedUID) []countedUID {
	out := []countedUID{}
	for _, x := range list {
		name := uid.Name(x.UID)
		if name == x.UID {
			name = ""
		}
		out = append(out, countedUID{x.UID, name, x.Count})
	}
	return out
}

// covered is what the ledger says of the instances of a study.
func (s *Services) covered(rq *webapi.Request, study string) (*studyLedger, error) {
	var refs []string
	q := archive.RetrieveQuery{StudyUIDs: []string{study}, Scope: guard.Scope(rq.Context())}
	for ref, err := range s.Archive.Retrieve(rq.Context(), q) {
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref.SOPInstanceUID)
	}
	newest, leaves, size, err := s.Proofs.Positions(rq.Context(), archive.LeafKind, refs)

	return &studyLedger{Covered: len(newest), Leaves: leaves, Size: size}, err
}

// shownImage is an instance of a study.
type shownImage struct {
	SOPInstanceUID    string    `json:"sopInstanceUID"`
	SeriesInstanceUID string    `json:"seriesInstanceUID"`
	SOPClass          string    `json:"sopClass"`
	InstanceNumber    *int64    `json:"instanceNumber,omitempty"`
	Frames            int64     `json:"frames,omitempty"`
	Rows              int64     `json:"rows,omitempty"`
	Columns           int64     `json:"columns,omitempty"`
	Bytes             int64     `json:"bytes"`
	TransferSyntax    string    `json:"transferSyntax"`
	Received          time.Time `json:"received"`
	Source            string    `json:"source,omitempty"`
	LedgerLeaf        *int64    `json:"ledgerLeaf,omitempty"` // position of the newest one about it
}

// imageList is a page of instances.
type imageList struct {
	Items []shownImage `json:"items"`
	Next  string       `json:"next,omitempty"` // goes into the query as "cursor"
}

// imagePage reads a page of the instances of the study in the path, and records that.
func (s *Services) imagePage(rq *webapi.Request, what string, standard, most int64) ([]archive.ListedImage, archive.Cursor, error) {
	u, err := studyOf(rq)
	if err != nil {
		return nil, "", err
	}
	limit, err := rq.Number("limit", standard, 1, most)
	if err != nil {
		return nil, "", err
	}

	list, next, err := s.Archive.Images(rq.Context(), archive.InstanceQuery{
		StudyUID: u, SeriesUID: rq.Query("series"), SOPInstanceUID: rq.Query("instance"), Limit: int(limit),
		Cursor: archive.Cursor(rq.Query("cursor")), Scope: guard.Scope(rq.Context()),
	})
	if err != nil {
		return nil, "", err
	}
	o := audit.Object{Study: u, Matches: len(list)}
	if o.Patient, o.PatientIssuer, err = s.Archive.PatientOf(rq.Context(), u); err != nil {
		return nil, "", err
	}

	return list, next, searched(rq, "IMAGE /studies/"+u+what, []string{"series", "instance"}, o)
}

func (s *Services) images(rq *webapi.Request) (any, error) {
	list, next, err := s.imagePage(rq, "/instances", 100, archive.ListMost)
	if err != nil {
		return nil, err
	}
	refs := make([]string, len(list))
	for i := range list {
		refs[i] = list[i].SOPInstanceUID
	}
	newest, _, _, err := s.Proofs.Positions(rq.Context(), archive.LeafKind, refs)
	if err != nil {
		return nil, err
	}

	out := imageList{Items: []shownImage{}, Next: string(next)}
	for _, x := range list {
		y := shownImage{
			SOPInstanceUID: x.SOPInstanceUID, SeriesInstanceUID: x.SeriesUID, SOPClass: x.SOPClassUID, InstanceNumber: x.Number,
			Frames: x.Frames, Rows: x.Rows, Columns: x.Columns, Bytes: x.Size, TransferSyntax: x.TransferSyntaxUID,
			Received: x.Received, Source: x.Source,
		}
		if at, ok := newest[x.SOPInstanceUID]; ok {
			y.LedgerLeaf = &at
		}
		out.Items = append(out.Items, y)
	}
	return out, nil
}

// imageProof is the inclusion proof of an instance, as 'collimator ledger prove' prints it.
type imageProof struct {
	SOPInstanceUID string `json:"sopInstanceUID"`
	Proof          string `json:"proof"`
}

// proofList is a page of proofs.
type proofList struct {
	Key   string       `json:"key"` // by which they are verified
	Items []imageProof `json:"items"`
	Next  string       `json:"next,omitempty"` // goes into the query as "cursor"
}

// proofsMost bounds the proofs of one answer: each reads a path of the tree.
const proofsMost = 50

func (s *Services) proofs(rq *webapi.Request) (any, error) {
	list, next, err := s.imagePage(rq, "/proof", proofsMost, proofsMost)
	if err != nil {
		return nil, err
	}
	out := proofList{Key: s.LedgerKey, Items: []imageProof{}, Next: string(next)}
	for _, x := range list {
		proof, err := s.Proofs.Prove(rq.Context(), x.SOPInstanceUID)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, imageProof{x.SOPInstanceUID, proof})
	}
	return out, nil
}
