package pacs

import (
	"bytes"
	"context"
	"errors"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/archive"
)

// Types of action and event of storage commitment (PS3.4 J.3.2, J.3.3).
const (
	requestCommitment  = 1
	commitmentDone     = 1
	commitmentFailures = 2
)

// reportWait is how long a report may take on the association of the request
// before it goes on one of our own.
const reportWait = 20 * time.Second

// commit answers N-ACTION of the Storage Commitment Push Model (PS3.4 J.3.2).
// The report follows on the same association while it is open, otherwise on
// one that is opened to the device; it is kept until it was delivered.
func (s *Service) commit(ctx context.Context, a *dimse.Association, rq *dimse.NRequest) dimse.NResponse {
	if rq.SOPInstanceUID != uid.StorageCommitmentPushInstance {
		return dimse.NResponse{Status: dimse.NoSuchSOPInstance.With("not the well-known instance")}
	}
	if rq.TypeID != requestCommitment {
		return dimse.NResponse{Status: dimse.NoSuchActionType.With("unknown action type")}
	}

	report, event, st := s.judge(ctx, rq.DataSet)
	if st.Code != dimse.Success {
		return dimse.NResponse{Status: st}
	}

	id, err := s.queue(ctx, a.CallingAETitle(), report, event)
	if errors.Is(err, errTooManyReports) {
		return dimse.NResponse{Status: status(dimse.ResourceLimitation, "too many reports wait for this device", err)}
	}
	if err != nil {
		return dimse.NResponse{Status: dimse.ProcessingFailure.Because(err)}
	}

	rq.After = func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, reportWait)
		defer cancel()
		if err := s.report(ctx, a, report, event); err != nil {
			s.Log.Info("storage commitment report goes on an association of its own", "device", a.CallingAETitle(), "association", a.ID())
			s.release(context.WithoutCancel(ctx), id)
			return
		}
		if err := s.delivered(context.WithoutCancel(ctx), id); err != nil {
			s.Log.Error("storage commitment report not ticked off", "error", err)
		}
	}
	return dimse.NResponse{}
}

// judge makes the event information for a request (PS3.4 J.3.3.1.1).
func (s *Service) judge(ctx context.Context, ds *dicom.DataSet) (report *dicom.DataSet, event uint16, st dimse.Status) {
	if ds == nil || !uid.Tolerable(ds.Text(tag.TransactionUID)) {
		return nil, 0, dimse.InvalidArgumentValue.With("TransactionUID is missing or malformed")
	}

	items := ds.Items(tag.ReferencedSOPSequence)
	if len(items) == 0 {
		return nil, 0, dimse.InvalidArgumentValue.With("ReferencedSOPSequence is empty")
	}

	refs := make([]archive.SOPReference, len(items))
	for i, it := range items {
		refs[i] = archive.SOPReference{
			SOPClassUID:    it.Text(tag.ReferencedSOPClassUID),
			SOPInstanceUID: it.Text(tag.ReferencedSOPInstanceUID),
		}
		if !uid.Tolerable(refs[i].SOPClassUID) || !uid.Tolerable(refs[i].SOPInstanceUID) {
			return nil, 0, dimse.InvalidArgumentValue.With("a referenced UID is missing or malformed")
		}
	}

	answers, err := s.Archive.Commit(ctx, refs)
	if err != nil {
		return nil, 0, dimse.ProcessingFailure.Because(err)
	}

	report, event, err = s.eventInformation(ds.Text(tag.TransactionUID), refs, answers)
	if err != nil {
		return nil, 0, dimse.ProcessingFailure.Because(err)
	}
	return report, event, dimse.Status{}
}

func (s *Service) eventInformation(transaction string, refs []archive.SOPReference,
	answers []archive.Commitment) (*dicom.DataSet, uint16, error) {

	report := dicom.NewDataSet()
	if err := report.SetText(tag.TransactionUID, transaction); err != nil {
		return nil, 0, err
	}
	if err := report.SetText(tag.RetrieveAETitle, s.AETitle); err != nil {
		return nil, 0, err
	}

	var done, failed []*dicom.DataSet
	for i, ref := range refs {
		it := dicom.NewDataSet()
		if err := it.SetText(tag.ReferencedSOPClassUID, ref.SOPClassUID); err != nil {
			return nil, 0, err
		}
		if err := it.SetText(tag.ReferencedSOPInstanceUID, ref.SOPInstanceUID); err != nil {
			return nil, 0, err
		}
		if answers[i] == archive.Committed {
			done = append(done, it)
			continue
		}
		if err := it.SetInt(tag.FailureReason, failureReason(answers[i])); err != nil {
			return nil, 0, err
		}
		failed = append(failed, it)
	}

	event := uint16(commitmentDone)
	if len(done) > 0 {
		report.SetItems(tag.ReferencedSOPSequence, done...)
	}
	if len(failed) > 0 {
		report.SetItems(tag.FailedSOPSequence, failed...)
		event = commitmentFailures
	}
	return report, event, nil
}

// failureReason is a value of (0008,1197) (PS3.3 C.14.1.1).
func failureReason(c archive.Commitment) int64 {
	switch c {
	case archive.NoSuchInstance:
		return int64(dimse.NoSuchSOPInstance)
	case archive.ClassConflict:
		return int64(dimse.ClassInstanceConflict)
	}
	return int64(dimse.ProcessingFailure)
}

// report sends the N-EVENT-REPORT (PS3.4 J.3.3).
func (s *Service) report(ctx context.Context, a *dimse.Association, report *dicom.DataSet, event uint16) error {
	_, err := a.EventReport(ctx, dimse.NRequest{
		SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance,
		TypeID: event, DataSet: report,
	})
	return err
}

func encodeReport(report *dicom.DataSet) ([]byte, error) {
	var b bytes.Buffer
	err := dicom.Encode(&b, report, uid.ExplicitVRLittleEndian)
	return b.Bytes(), err
}

func decodeReport(b []byte) (*dicom.DataSet, error) {
	return dicom.Decode(bytes.NewReader(b), dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
}
