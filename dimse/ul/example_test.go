package ul_test

import (
	"errors"
	"fmt"

	"collimator/dicom/uid"
	"collimator/dimse/ul"
)

func ExampleDecode() {
	rq := &ul.AssociateRQ{
		CalledAETitle:  "PACS",
		CallingAETitle: "CT1",
		Contexts: []ul.ProposedContext{{
			ID: 1, AbstractSyntax: uid.Verification, TransferSyntaxes: []string{uid.ImplicitVRLittleEndian},
		}},
	}
	b, err := rq.AppendTo(nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	pdu, err := ul.Decode(b, ul.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pdu.Type(), "from", pdu.(*ul.AssociateRQ).CallingAETitle)
	// Output: A-ASSOCIATE-RQ from CT1
}

// A web browser that knocks at a DICOM port.
func ExampleParseError() {
	_, err := ul.ParseHeader([]byte("GET / HTTP/1.1"), ul.Limits{})
	var parse *ul.ParseError
	fmt.Println(errors.As(err, &parse), parse.Kind == ul.UnknownType)
	// Output: true true
}

// The machine of an acceptor: the driver does what each step says.
func ExampleMachine_Next() {
	m := ul.NewMachine(false)
	for _, event := range []ul.Event{ul.Evt5, ul.Evt6, ul.Evt7, ul.Evt12, ul.Evt14} {
		next, step, ok := m.Next(ul.Input{Event: event})
		if !ok {
			fmt.Println("not possible now:", event)
			return
		}
		m = next
		fmt.Println(event, step.Action, step.From, "to", step.To)
	}
	// Output:
	// Evt5 AE-5 Sta1 to Sta2
	// Evt6 AE-6 Sta2 to Sta3
	// Evt7 AE-7 Sta3 to Sta6
	// Evt12 AR-2 Sta6 to Sta8
	// Evt14 AR-4 Sta8 to Sta13
}
