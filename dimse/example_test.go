package dimse_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
)

// exampleImage is a data set as it goes over the wire.
func exampleImage(instance string) []byte {
	ds := dicom.NewDataSet()
	for t, v := range map[dicom.Tag]string{
		tag.SOPClassUID: uid.CTImageStorage, tag.SOPInstanceUID: instance, tag.StudyInstanceUID: "1.2",
		tag.SeriesInstanceUID: "1.2.3", tag.PatientID: "4711", tag.StudyDate: "20260105",
	} {
		_ = ds.SetText(t, v)
	}
	var b bytes.Buffer
	_ = dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian)
	return b.Bytes()
}

// A storage SCP: it takes every object and counts its bytes. Who may call is for
// Admit to decide, what an association may do for the interceptor of the Mux.
func ExampleServer() {
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleEcho(nil)
	mux.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		n, err := io.Copy(io.Discard, rq.Data)
		if err != nil {
			return dimse.ProcessingFailure.Because(err)
		}
		fmt.Println(uid.Name(rq.SOPClassUID), n > 0)
		return dimse.Status{} // the zero Status is Success
	})
	server := &dimse.Server{
		Mux: mux,
		Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
			return dimse.Negotiate(rq, dimse.AcceptStorage()), nil
		},
	}

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, ln) }()
	defer func() {
		stop()
		<-ended
	}()

	a, err := dimse.Dial(ctx, ln.Addr().String(), dimse.Config{
		CallingAETitle: "CT1", CalledAETitle: "STORE",
		Contexts: dimse.Propose([]string{uid.CTImageStorage}, uid.StorageSyntaxes(), true),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	status, err := a.Store(ctx, dimse.StoreRequest{
		SOPClassUID: uid.CTImageStorage, SOPInstanceUID: "1.2.3.4", TransferSyntax: uid.ExplicitVRLittleEndian,
		Data: bytes.NewReader(exampleImage("1.2.3.4")),
	})
	fmt.Println(status.Code, err)
	fmt.Println(a.Release(ctx))
	// Output:
	// CT Image Storage true
	// 0000H Success <nil>
	// <nil>
}

func ExampleDial() {
	peer := dimsetest.NewServer(dimsetest.Options{})
	defer peer.Close()

	ctx := context.Background()
	a, err := dimse.Dial(ctx, peer.Address, dimse.Config{
		CallingAETitle: "ME", CalledAETitle: dimsetest.DefaultAETitle,
		Contexts: dimse.Propose([]string{uid.Verification}, uid.NativeSyntaxes(), false),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.Echo(ctx))
	fmt.Println(a.Release(ctx))
	// Output:
	// <nil>
	// <nil>
}

func ExampleAssociation_Find() {
	peer := dimsetest.NewServer(dimsetest.Options{})
	defer peer.Close()
	for _, instance := range []string{"1.2.3.1", "1.2.3.2"} {
		if _, err := peer.Archive.Read(bytes.NewReader(exampleImage(instance)), uid.ExplicitVRLittleEndian); err != nil {
			fmt.Println(err)
			return
		}
	}

	ctx := context.Background()
	a, err := dimse.Dial(ctx, peer.Address, peer.Config("ME", uid.StudyRootFind))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Abort()

	// A key with a value is matched; one without is asked for.
	keys := dicom.NewDataSet()
	for t, v := range map[dicom.Tag]string{
		tag.QueryRetrieveLevel: "STUDY", tag.StudyDate: "20260101-", tag.StudyInstanceUID: "", tag.NumberOfStudyRelatedInstances: "",
	} {
		if err := keys.SetText(t, v); err != nil {
			fmt.Println(err)
			return
		}
	}
	for m, err := range a.Find(ctx, dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: keys}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(m.Identifier.Text(tag.StudyInstanceUID), m.Identifier.Text(tag.NumberOfStudyRelatedInstances))
	}
	// Output: 1.2 2
}

func ExampleAssociation_Move() {
	viewer := dimsetest.NewServer(dimsetest.Options{AETitle: "VIEWER"})
	defer viewer.Close()
	// A destination is a name that the sending side looks up: never an address.
	pacs := dimsetest.NewServer(dimsetest.Options{
		AETitle:      "PACS",
		Destinations: map[string]dimse.Destination{"VIEWER": viewer.Destination("PACS")},
	})
	defer pacs.Close()
	if _, err := pacs.Archive.Read(bytes.NewReader(exampleImage("1.2.3.1")), uid.ExplicitVRLittleEndian); err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	a, err := dimse.Dial(ctx, pacs.Address, pacs.Config("ME", uid.StudyRootMove))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Abort()
	keys := dicom.NewDataSet()
	_ = keys.SetText(tag.QueryRetrieveLevel, "STUDY")
	_ = keys.SetText(tag.StudyInstanceUID, "1.2")
	result, err := a.Move(ctx, dimse.MoveRequest{SOPClassUID: uid.StudyRootMove, MoveDestination: "VIEWER", Identifier: keys})
	fmt.Println(result.SubOperations.Completed, err)
	fmt.Println(len(viewer.Archive.All()))
	// Output:
	// 1 <nil>
	// 1
}
