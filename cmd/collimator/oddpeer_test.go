package main

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/house/housetest"
	"collimator/internal/sender"
)

// oddPeer is an SCP that answers what a test says, as no library of ours would.
type oddPeer struct {
	t       *testing.T
	address string
	answer  func(*oddAssociation, *dimse.Command)

	mu   sync.Mutex
	seen []dimse.Operation
}

// oddAssociation is one of its associations.
type oddAssociation struct {
	*oddPeer
	conn     net.Conn
	contexts map[string]uint8 // by abstract syntax
	storing  uint16           // Message ID of the last C-STORE sub-operation
}

// newOddPeer listens on loopback until the test ends.
func newOddPeer(t *testing.T, answer func(*oddAssociation, *dimse.Command)) *oddPeer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &oddPeer{t: t, address: ln.Addr().String(), answer: answer}
	housetest.EachConnection(t, ln, func(conn net.Conn) {
		(&oddAssociation{oddPeer: p, conn: conn, contexts: map[string]uint8{}}).serve()
	})

	return p
}

// came reports whether an operation was asked for.
func (p *oddPeer) came(o dimse.Operation) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, seen := range p.seen {
		if seen == o {
			return true
		}
	}
	return false
}

// serve ends with the connection.
func (a *oddAssociation) serve() {
	var command []byte
	for {
		pdu, err := a.read()
		if err != nil {
			return
		}
		switch pdu := pdu.(type) {
		case *ul.AssociateRQ:
			a.accept(pdu)
		case *ul.PDataTF:
			for _, v := range pdu.Values {
				if !v.Command {
					continue
				}
				if command = append(command, v.Data...); !v.Last {
					continue
				}
				cmd, err := dimse.DecodeCommand(command)
				command = nil
				if err != nil {
					return
				}
				a.mu.Lock()
				a.seen = append(a.seen, cmd.Operation)
				a.mu.Unlock()
				if !cmd.Response {
					a.answer(a, cmd)
				}
			}
		case ul.ReleaseRQ, *ul.ReleaseRQ:
			a.write(ul.ReleaseRP{})
			return
		}
	}
}

func (a *oddAssociation) read() (ul.PDU, error) {
	head := make([]byte, ul.HeaderLength)
	if _, err := io.ReadFull(a.conn, head); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[2:]))
	if _, err := io.ReadFull(a.conn, body); err != nil {
		return nil, err
	}
	return ul.DecodeBody(ul.Type(head[0]), body, ul.Limits{})
}

// write gives false when the other side is gone.
func (a *oddAssociation) write(pdu ul.PDU) bool {
	b, err := pdu.AppendTo(nil)
	if err != nil {
		a.t.Error(err)
		return false
	}
	_, err = a.conn.Write(b)
	return err == nil
}

// accept takes each context in its first transfer syntax, and each role.
func (a *oddAssociation) accept(rq *ul.AssociateRQ) {
	ac := &ul.AssociateAC{CalledAETitle: rq.CalledAETitle, CallingAETitle: rq.CallingAETitle,
		User: ul.UserInformation{MaxPDULength: 16384, ImplementationClassUID: "2.25.1", Roles: rq.User.Roles}}
	for _, pc := range rq.Contexts {
		ac.Contexts = append(ac.Contexts, ul.AcceptedContext{ID: pc.ID, TransferSyntax: pc.TransferSyntaxes[0]})
		if _, ok := a.contexts[pc.AbstractSyntax]; !ok {
			a.contexts[pc.AbstractSyntax] = pc.ID
		}
	}
	a.write(ac)
}

// respond sends a response to a request.
func (a *oddAssociation) respond(rq *dimse.Command, status dimse.StatusCode, n *dimse.SubOperations) bool {
	return a.send(rq.AffectedSOPClassUID, &dimse.Command{Operation: rq.Operation, Response: true, MessageID: rq.MessageID,
		AffectedSOPClassUID: rq.AffectedSOPClassUID, Status: status, SubOperations: n}, nil)
}

// store sends an object as a sub-operation and reads the response.
func (a *oddAssociation) store(f *sender.File, dataSet []byte) bool {
	a.storing++
	if !a.send(f.SOPClassUID, &dimse.Command{Operation: dimse.CStore, MessageID: a.storing, HasDataSet: true,
		AffectedSOPClassUID: f.SOPClassUID, AffectedSOPInstanceUID: f.SOPInstanceUID}, dataSet) {
		return false
	}
	for { // the identifier of the request may come before the response
		pdu, err := a.read()
		if err != nil {
			return false
		}
		if data, ok := pdu.(*ul.PDataTF); ok && data.Values[0].Command {
			return true
		}
	}
}

func (a *oddAssociation) send(class string, cmd *dimse.Command, dataSet []byte) bool {
	id := a.contexts[class]
	values := []ul.PDV{{ContextID: id, Command: true, Last: true, Data: cmd.AppendTo(nil)}}
	if dataSet != nil {
		values = append(values, ul.PDV{ContextID: id, Last: true, Data: dataSet})
	}
	return a.write(&ul.PDataTF{Values: values})
}

// run runs a command of the program against the peer.
func (p *oddPeer) run(args ...string) (out, problem string, code int) {
	p.t.Helper()
	return runAgainst(p.t, p.address, args...)
}

// refuses answers C-FIND of peers that do not tell SOP Classes.
func (a *oddAssociation) refuses(rq *dimse.Command) bool {
	return rq.Operation == dimse.CFind && a.respond(rq, dimse.SOPClassNotSupported, nil)
}
