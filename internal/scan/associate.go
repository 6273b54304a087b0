package scan

import (
	"context"
	"errors"
	"io"
	"net"
	"os"

	"collimator/dicom"
	"collimator/dimse/ul"
	"collimator/internal/finding"
)

// limits bound what a peer may make us read (PS3.8 9.3).
func limits() ul.Limits { return ul.Limits{AssociatePDU: 128 << 10, PDataPDU: 64 << 10} }

// maxPDU is what we say we receive.
const maxPDU = 32 << 10

// implementationVersionName tells whoever reads the log of the peer who asked.
const implementationVersionName = "COLLIMATOR_SCAN"

// callingAETitle is how a scan calls itself.
const callingAETitle = "COLLIMATOR"

// answer is what came back to a request to associate.
type answer struct {
	finding.Outcome
	ac *ul.AssociateAC
	// raw is the start of an answer that is not a PDU.
	raw []byte
}

// association is one that was accepted; end releases and closes it.
type association struct {
	conn   net.Conn
	link   *link
	ac     *ul.AssociateAC
	broken bool // the peer ended it
	id     uint16
}

// associate sends one whole A-ASSOCIATE-RQ as the first write and reads the
// answer (PS3.8 9.3.2). The association is nil where it was not accepted, and
// then the connection is closed.
func (d door) associate(ctx context.Context, rq *ul.AssociateRQ, change func(pdu []byte)) (*association, answer, error) {
	rq.User.MaxPDULength = maxPDU
	rq.User.ImplementationClassUID = dicom.ImplementationClassUID
	rq.User.ImplementationVersionName = implementationVersionName
	pdu, err := rq.AppendTo(nil)
	if err != nil {
		return nil, answer{}, err
	}
	if change != nil {
		change(pdu)
	}

	conn, l, err := d.open(ctx)
	if err != nil {
		return nil, answer{}, err
	}
	if _, err := conn.Write(pdu); err != nil {
		l.Close()
		return nil, answer{Outcome: finding.Outcome{Answer: finding.AnswerClosed}}, nil
	}

	a := readAnswer(conn)
	if a.Speaks() {
		l.answered("dicom")
	} else {
		l.unanswered("dicom")
	}

	if a.ac == nil {
		l.Close()
		return nil, a, nil
	}
	return &association{conn: conn, link: l, ac: a.ac}, a, nil
}

// readAnswer reads one PDU and names it. Of any other answer it keeps the start.
func readAnswer(r io.Reader) answer {
	head := make([]byte, ul.HeaderLength)
	n, err := io.ReadFull(r, head)
	if err != nil {
		return answer{Outcome: finding.Outcome{Answer: silence(n, err)}, raw: head[:n]}
	}

	h, err := ul.ParseHeader(head, limits())
	if err != nil || h.Type != ul.TypeAssociateAC && h.Type != ul.TypeAssociateRJ && h.Type != ul.TypeAbort || head[1] != 0 {
		return answer{Outcome: finding.Outcome{Answer: finding.AnswerOther}, raw: append(head, readSome(r, 512)...)}
	}

	body := make([]byte, h.Length)
	if _, err := io.ReadFull(r, body); err != nil {
		return answer{Outcome: finding.Outcome{Answer: finding.AnswerOther}, raw: head}
	}

	pdu, err := ul.DecodeBody(h.Type, body, limits())
	if err != nil {
		if ac := looseAccept(body); h.Type == ul.TypeAssociateAC && ac != nil {
			return answer{Outcome: finding.Outcome{Answer: finding.AnswerAccept}, ac: ac}
		}
		return answer{Outcome: finding.Outcome{Answer: finding.AnswerOther}, raw: head}
	}

	switch pdu := pdu.(type) {
	case *ul.AssociateAC:
		return answer{Outcome: finding.Outcome{Answer: finding.AnswerAccept}, ac: pdu}
	case ul.AssociateRJ:
		return answer{Outcome: finding.Outcome{
			Answer: finding.AnswerReject, Result: uint8(pdu.Result), Source: uint8(pdu.Source), Reason: uint8(pdu.Reason),
		}}
	case ul.Abort:
		return answer{Outcome: finding.Outcome{
			Answer: finding.AnswerAbort, Source: uint8(pdu.Source), Reason: uint8(pdu.Reason),
		}}
	}
	return answer{Outcome: finding.Outcome{Answer: finding.AnswerOther}, raw: head}
}

// silence names an answer that did not come.
func silence(n int, err error) finding.Answer {
	switch {
	case n > 0:
		return finding.AnswerOther
	case errors.Is(err, os.ErrDeadlineExceeded):
		return finding.AnswerTimeout
	}
	return finding.AnswerClosed
}

// end releases the association and waits for the peer's consent, or aborts
// where something is still under way, then closes the connection (PS3.8 9.3.6).
func (a *association) end(abort bool) {
	defer a.link.Close()
	if a.broken {
		return
	}

	if abort {
		pdu, _ := ul.Abort{Source: ul.AbortServiceUser}.AppendTo(nil)
		a.conn.Write(pdu)
		return
	}

	pdu, _ := ul.ReleaseRQ{}.AppendTo(nil)
	if _, err := a.conn.Write(pdu); err != nil {
		return
	}

	head := make([]byte, ul.HeaderLength+4)
	io.ReadFull(a.conn, head) // the A-RELEASE-RP, or the end
}

// context is the identifier under which an abstract syntax was accepted, 0 if
// it was not.
func (a *association) context(rq *ul.AssociateRQ, abstractSyntax string) uint8 {
	for _, pc := range rq.Contexts {
		if pc.AbstractSyntax != abstractSyntax {
			continue
		}
		for _, ac := range a.ac.Contexts {
			if ac.ID == pc.ID && ac.Result == ul.Acceptance {
				return ac.ID
			}
		}
	}
	return 0
}
