package dimse_test

import (
	"context"
	"net"
	"testing"

	"collimator/dimse"
	"collimator/dimse/ul"
)

// DM-01
func TestSOPClassOtherThanThatOfTheContextIsRefused(t *testing.T) {
	t.Parallel()
	conn, err := net.Dial("tcp", serve(t, echoServer()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	associate(t, conn)
	cmd := (&dimse.Command{Operation: dimse.CStore, MessageID: 1, HasDataSet: true, AffectedSOPClassUID: mr, AffectedSOPInstanceUID: "1.2.3"}).AppendTo(nil)
	conn.Write(pdata(ul.PDV{ContextID: 3, Command: true, Last: true, Data: cmd}, ul.PDV{ContextID: 3, Last: true, Data: []byte{1, 2}}))
	p, ok := readPDU(t, conn).(*ul.PDataTF)
	if !ok {
		t.Fatal("no response")
	}
	if rsp, err := dimse.DecodeCommand(p.Values[0].Data); err != nil || rsp.Status != dimse.SOPClassNotSupported {
		t.Errorf("%v %v", rsp, err)
	}
}

// UL-14
func TestUserIdentityInTheClearIsWithheld(t *testing.T) {
	t.Parallel()
	seen := make(chan *dimse.AssociateRequest, 1)
	conn, err := net.Dial("tcp", serve(t, &dimse.Server{Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		seen <- rq
		acc := dimse.Negotiate(rq, everything())
		acc.Identity = &ul.UserIdentityResponse{}
		return acc, nil
	}}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write(requestPDU(t, func(rq *ul.AssociateRQ) {
		rq.User.Identity = &ul.UserIdentity{Kind: ul.IdentityJWT, PositiveResponseRequested: true, Primary: ul.NewSecret([]byte("token"))}
	}))
	ac, ok := readPDU(t, conn).(*ul.AssociateAC)
	if rq := <-seen; rq.Identity != nil || !rq.IdentityWithheld || rq.IdentityType != ul.IdentityJWT {
		t.Errorf("%+v", rq.Identity)
	}
	if !ok || ac.User.IdentityResponse != nil {
		t.Error("answered positively")
	}
}
