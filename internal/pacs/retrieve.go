package pacs

import (
	"context"
	"iter"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/fault"
)

// maxSubOperations bounds one C-GET or C-MOVE: the counts of PS3.7 9.1.3 are
// 16-bit numbers.
const maxSubOperations = 65535

// retrieve answers C-GET and C-MOVE in both roots (PS3.4 C.4.2, C.4.3).
func (s *Service) retrieve(ctx context.Context, _ *dimse.Association, rq *dimse.RetrieveRequest) (*dimse.RetrievePlan, dimse.Status) {
	q, err := retrieveQuery(rq)
	if err != nil {
		return nil, queryStatus(err)
	}

	q.Scope = s.scope(ctx)

	var destination dimse.Destination
	if rq.Operation == dimse.CMove {
		destination, err = s.Destinations.Destination(ctx, rq.MoveDestination)
		if fault.Of(err) == fault.NotFound {
			return nil, status(dimse.MoveDestinationUnknown, "move destination unknown", err)
		}
		if err != nil {
			return nil, status(dimse.UnableToPerformSubOperations, "move destination is not usable", err)
		}
	}

	refs, err := s.collect(ctx, q)
	if err != nil {
		st := queryStatus(err)
		if st.Code == dimse.OutOfResources {
			st.Code = dimse.UnableToCalculateMatches
		}
		return nil, st
	}

	return &dimse.RetrievePlan{Count: len(refs), SubOperations: s.subOperations(refs), Destination: destination}, dimse.Status{}
}

func (s *Service) collect(ctx context.Context, q archive.RetrieveQuery) ([]archive.InstanceRef, error) {
	var refs []archive.InstanceRef
	for ref, err := range s.Archive.Retrieve(ctx, q) {
		if err != nil {
			return nil, err
		}
		if len(refs) == maxSubOperations {
			return nil, fault.Newf(fault.TooLarge, "pacs: more than %d instances; ask for fewer", maxSubOperations)
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

func (s *Service) subOperations(refs []archive.InstanceRef) iter.Seq[dimse.SubOperation] {
	return func(yield func(dimse.SubOperation) bool) {
		for _, ref := range refs {
			if !yield(s.subOperation(ref)) {
				return
			}
		}
	}
}

// retrieveQuery reads the unique keys of an identifier. All levels above the one
// asked for must be there, unless relational retrieval was negotiated
// (PS3.4 C.4.2.2.1).
func retrieveQuery(rq *dimse.RetrieveRequest) (archive.RetrieveQuery, error) {
	root := archive.StudyRoot
	if rq.SOPClassUID == uid.PatientRootGet || rq.SOPClassUID == uid.PatientRootMove {
		root = archive.PatientRoot
	}

	ds := rq.Identifier
	if ds == nil {
		return archive.RetrieveQuery{}, fault.New(fault.Invalid, "pacs: the identifier is missing")
	}
	level, err := levelOf(ds.Text(tag.QueryRetrieveLevel), root)
	if err != nil {
		return archive.RetrieveQuery{}, err
	}

	q := archive.RetrieveQuery{
		PatientID:         ds.Text(tag.PatientID),
		IssuerOfPatientID: ds.Text(tag.IssuerOfPatientID),
		StudyUIDs:         ds.Values(tag.StudyInstanceUID),
		SeriesUIDs:        ds.Values(tag.SeriesInstanceUID),
		SOPInstanceUIDs:   ds.Values(tag.SOPInstanceUID),
	}
	if root == archive.StudyRoot {
		q.PatientID = "" // not a unique key of this model (PS3.4 C.6.2)
		q.IssuerOfPatientID = ""
	}

	for _, k := range []struct {
		level archive.Level
		tag   dicom.Tag
		there bool
	}{
		{archive.PatientLevel, tag.PatientID, q.PatientID != ""},
		{archive.StudyLevel, tag.StudyInstanceUID, len(q.StudyUIDs) > 0},
		{archive.SeriesLevel, tag.SeriesInstanceUID, len(q.SeriesUIDs) > 0},
		{archive.ImageLevel, tag.SOPInstanceUID, len(q.SOPInstanceUIDs) > 0},
	} {
		above := k.level < level && !rq.Options.Relational && (k.level != archive.PatientLevel || root == archive.PatientRoot)
		if (k.level == level || above) && !k.there {
			return q, fault.Newf(fault.Invalid, "pacs: unique key %s %s is missing", k.tag, k.tag.Keyword())
		}
		if k.level > level && k.there {
			return q, fault.Newf(fault.Invalid, "pacs: key %s %s is below the level", k.tag, k.tag.Keyword())
		}
	}
	return q, nil
}
