package scan

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/finding"
)

// Bounds of one operation.
const (
	maxCommandSet = 8 << 10
	maxAnswers    = 256     // messages
	maxDiscarded  = 1 << 20 // bytes of data sets that are thrown away
)

// operate sends one request with an identifier and reads until the final status
// (PS3.7 9.1). Data sets that come are not decoded: their bytes are counted and
// dropped. cancel sends C-CANCEL after the first pending answer.
func (a *association) operate(pc uint8, cmd *dimse.Command, identifier []byte, cancel bool) *finding.Operation {
	a.id++
	cmd.MessageID = a.id
	cmd.HasDataSet = identifier != nil
	if _, err := a.conn.Write(message(pc, cmd, identifier)); err != nil {
		a.broken = true
		return &finding.Operation{Answer: finding.AnswerClosed}
	}

	op := &finding.Operation{}
	r := &commandReader{r: a.conn}
	for range maxAnswers {
		rsp, err := r.next()
		switch {
		case errors.Is(err, errAborted):
			a.broken = true
			op.Answer = finding.AnswerAbort
			return op
		case errors.Is(err, os.ErrDeadlineExceeded):
			op.Answer = finding.AnswerTimeout
			return op
		case err != nil:
			a.broken = true
			op.Answer = finding.AnswerClosed
			return op
		}

		if !rsp.Response {
			continue // a C-STORE of a C-GET cannot come for a UID that does not exist
		}
		if rsp.Status&0xFF00 != 0xFF00 {
			op.Answer = finding.AnswerStatus
			op.Status = uint16(rsp.Status)
			return op
		}

		op.Pending++
		if cancel && op.Pending == 1 {
			a.conn.Write(message(pc, &dimse.Command{Operation: dimse.CCancel, MessageID: a.id}, nil))
		}
	}

	op.Answer = finding.AnswerTimeout
	return op
}

// message is a request as P-DATA-TF, one for the command set and one for the
// data set, for one write (PS3.8 9.3.5).
func message(pc uint8, cmd *dimse.Command, identifier []byte) []byte {
	set := cmd.AppendTo(nil)
	b := make([]byte, ul.HeaderLength+ul.PDVHeaderLength, 512)
	ul.PutPDataHeader(b, ul.PDVHeader{ContextID: pc, Command: true, Last: true, Length: uint32(len(set))})
	b = append(b, set...)
	if identifier == nil {
		return b
	}

	start := len(b)
	b = append(b, make([]byte, ul.HeaderLength+ul.PDVHeaderLength)...)
	ul.PutPDataHeader(b[start:], ul.PDVHeader{ContextID: pc, Last: true, Length: uint32(len(identifier))})
	return append(b, identifier...)
}

var (
	errAborted  = errors.New("scan: the peer aborted")
	errTooLarge = errors.New("scan: the peer sends more than it may")
)

// commandReader takes command sets out of P-DATA-TF and drops data sets.
type commandReader struct {
	r         io.Reader
	discarded int
	values    []ul.PDV
	set       []byte
}

// next reads on to the next command set and discards the data sets in between.
// errTooLarge says that one of both is beyond its bound.
func (c *commandReader) next() (*dimse.Command, error) {
	for {
		for len(c.values) > 0 {
			v := c.values[0]
			c.values = c.values[1:]

			if !v.Command {
				c.discarded += len(v.Data)
				if c.discarded > maxDiscarded {
					return nil, errTooLarge
				}
				continue
			}

			c.set = append(c.set, v.Data...)
			if len(c.set) > maxCommandSet {
				return nil, errTooLarge
			}
			if v.Last {
				cmd, err := dimse.DecodeCommand(c.set)
				c.set = nil
				return cmd, err
			}
		}

		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

func (c *commandReader) fill() error {
	head := make([]byte, ul.HeaderLength)
	if _, err := io.ReadFull(c.r, head); err != nil {
		return err
	}

	h, err := ul.ParseHeader(head, limits())
	if err != nil {
		return err
	}

	body := make([]byte, h.Length)
	if _, err := io.ReadFull(c.r, body); err != nil {
		return err
	}

	pdu, err := ul.DecodeBody(h.Type, body, limits())
	if err != nil {
		return err
	}

	switch pdu := pdu.(type) {
	case *ul.PDataTF:
		c.values = pdu.Values
		return nil
	case ul.Abort:
		return errAborted
	}
	return errors.New("scan: an unexpected PDU")
}

// element is one element in Implicit VR Little Endian (PS3.5 7.1.3), padded to
// even length.
func element(group, number uint16, value string, pad byte) []byte {
	if len(value)%2 != 0 {
		value += string(pad)
	}

	b := binary.LittleEndian.AppendUint16(nil, group)
	b = binary.LittleEndian.AppendUint16(b, number)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
	return append(b, value...)
}

// studyIdentifier asks at STUDY level for one StudyInstanceUID and nothing else
// (PS3.4 C.4.1.1.3). An empty UID is universal matching.
func studyIdentifier(studyUID string) []byte {
	return append(element(0x0008, 0x0052, "STUDY", ' '), element(0x0020, 0x000D, studyUID, 0)...)
}

// worklistIdentifier asks for a station and a patient that cannot exist (PS3.4 K.4.1).
func worklistIdentifier(aeTitle, patientID string) []byte {
	station := element(0x0040, 0x0001, aeTitle, ' ')
	item := binary.LittleEndian.AppendUint32([]byte{0xFE, 0xFF, 0x00, 0xE0}, uint32(len(station)))
	item = append(item, station...)
	return append(element(0x0010, 0x0020, patientID, ' '), element(0x0040, 0x0100, string(item), 0)...)
}

// impossibleUID is a fresh one derived from a UUID, which nobody has used (PS3.5 B.2).
func impossibleUID() string { return uid.New() }
