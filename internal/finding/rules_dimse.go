package finding

import (
	"fmt"
	"slices"
	"strings"

	"collimator/dicom/uid"
)

// StorageOffer are the storage classes of DIM-004.
func StorageOffer() []string {
	return []string{uid.CTImageStorage, uid.MRImageStorage, uid.UltrasoundImageStorage, uid.SecondaryCaptureImageStorage, uid.EncapsulatedPDFStorage}
}

func (j *judge) operations(s *Service, d *DICOM) {
	if !d.Stranger() {
		return
	}
	if d.Find.Allowed() {
		j.add("DIM-001", s.Port, "Names, birth dates and examinations of all patients can be read by whoever reaches this port.",
			exchange("C-FIND-RQ, STUDY, StudyInstanceUID random", d.Find.words()))
	}
	if d.Count != nil && d.Count.Pending > 0 {
		j.add("DIM-002", s.Port, "A search for any study brought at least one match. It was thrown away unread.",
			exchange("C-FIND-RQ, STUDY, StudyInstanceUID empty; C-CANCEL-RQ", "at least 1 match"))
	}
	if d.Worklist.Allowed() {
		j.add("DIM-003", s.Port, "The worklist holds names, births, pregnancies and what is planned for whom.",
			exchange("C-FIND-RQ, Modality uid.ModalityWorklistFind, AE title and patient ID random", d.Worklist.words()))
	}
	if list := acceptedOf(d, StorageOffer()); len(list) > 0 {
		j.add("DIM-004", s.Port, "Storage was offered to a caller nobody knows. Some products still refuse the object itself.",
			exchange("A-ASSOCIATE-RQ that offers storage", "accepted: "+strings.Join(list, ", "))).Possible = true
	}
	j.stored(s, d)
	if d.Move.Allowed() {
		j.add("DIM-007", s.Port, "Studies can be asked for. Where they may be sent decides the service.",
			exchange("C-MOVE-RQ, StudyInstanceUID and destination random", d.Move.words()))
	}
	if d.Get.Allowed() {
		j.add("DIM-008", s.Port, "Whole studies can be fetched by whoever knows a UID, and UIDs can be had by searching.",
			exchange("C-GET-RQ, StudyInstanceUID random", d.Get.words()))
	}
	if list := acceptedOf(d, []string{uid.ModalityPerformedProcedureStep, uid.StorageCommitmentPushModel, uid.BasicGrayscalePrintManagement}); len(list) > 0 {
		j.add("DIM-009", s.Port, "Forged procedure steps close entries of the worklist; a forged print costs film.",
			exchange("A-ASSOCIATE-RQ that offers contexts", "accepted: "+strings.Join(list, ", "))).Possible = true
	}
	if list := acceptedOf(d, []string{uid.HangingProtocolFind, uid.UnifiedProcedureStepPush, uid.InstanceAvailabilityNotification}); len(list) > 0 {
		j.add("DIM-010", s.Port, "", exchange("A-ASSOCIATE-RQ that offers contexts", "accepted: "+strings.Join(list, ", ")))
	}
}

func (j *judge) stored(s *Service, d *DICOM) {
	if d.Store.Allowed() {
		j.add("DIM-005", s.Port, "A test object was stored. Delete it: SOP Instance UID "+d.TestObjectUID+".",
			exchange("C-STORE-RQ, labelled test object", d.Store.words()))
	}
	if !d.StoreTwice.Allowed() || d.Replaced != nil && !*d.Replaced {
		return
	}
	text := "A second object under the same UID replaced the first."
	if d.Replaced == nil {
		text = "A second, different object under the same UID got the status success. Which one is kept was not seen."
	}
	j.add("DIM-006", s.Port, text, exchange("C-STORE-RQ, same SOP Instance UID, one attribute changed", d.StoreTwice.words())).Possible = d.Replaced == nil
}

// acceptedOf names those of a list that were accepted.
func acceptedOf(d *DICOM, list []string) []string {
	var out []string
	for _, class := range list {
		if d.Accepts(class) {
			name := uid.Name(class)
			if name == "" || name == class {
				name = fmt.Sprintf("SOP class %s", class)
			}
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
