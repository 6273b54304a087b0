package dimse_test

import (
	"net"
	"testing"
	"testing/synctest"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

// A request of the peer may cross our A-RELEASE-RQ: it arrives in Sta7 (AR-6),
// and there is no way to answer it any more. The release goes on.
func TestReleaseIsNotDisturbedByARequestThatCrossesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		released := make(chan error, 1)
		go func() {
			a, err := dimse.Open(t.Context(), ours, config(uid.StorageCommitmentPushModel))
			if err == nil {
				err = a.Release(t.Context())
			}
			released <- err
		}()
		write := func(p ul.PDU) {
			b, err := p.AppendTo(nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := theirs.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		if _, ok := readPDU(t, theirs).(*ul.AssociateRQ); !ok {
			t.Fatal("no request")
		}
		write(&ul.AssociateAC{CalledAETitle: "TESTSCP", CallingAETitle: "TESTSCU", Contexts: []ul.AcceptedContext{{ID: 1, TransferSyntax: uid.ExplicitVRLittleEndian}},
			User: ul.UserInformation{MaxPDULength: 16384, ImplementationClassUID: "1.2.3"}})
		if _, ok := readPDU(t, theirs).(ul.ReleaseRQ); !ok {
			t.Fatal("no release request")
		}
		report := &dimse.Command{Operation: dimse.NEventReport, MessageID: 1, EventTypeID: 1, AffectedSOPClassUID: uid.StorageCommitmentPushModel, AffectedSOPInstanceUID: uid.StorageCommitmentPushInstance}
		write(&ul.PDataTF{Values: []ul.PDV{{ContextID: 1, Command: true, Last: true, Data: report.AppendTo(nil)}}})
		synctest.Wait() // the request was handled
		write(ul.ReleaseRP{})
		if err := <-released; err != nil {
			t.Errorf("release: %v", err)
		}
		theirs.Close()
	})
}
