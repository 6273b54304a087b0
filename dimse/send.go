package dimse

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"collimator/dicom"
	"collimator/dimse/ul"
)

// commandRoom is kept in a write buffer in front of a data set, in bytes.
const commandRoom = 512

// joinedRoom is how many bytes of PDUs are joined into one write where the peer
// takes small ones only: DCMTK announces 16 KiB.
const joinedRoom = 128 << 10

// dataSet encodes ds for sending; an error shows at the first Read.
func dataSet(ds *dicom.DataSet, transferSyntax string) io.Reader {
	var b bytes.Buffer
	if ds == nil {
		return failingReader{fmt.Errorf("dimse: no data set")}
	}

	even, err := ds.Evened()
	if err != nil {
		return failingReader{err}
	}
	if err := dicom.Encode(&b, even, transferSyntax); err != nil {
		return failingReader{err}
	}
	return &b
}

type failingReader struct{ err error }

// Read implements io.Reader.
func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// send writes one message, PDU by PDU, none of them in two writes, command set and data
// set together when they fit one buffer. Nothing was sent when data cannot be read from
// the start; when it ends in the middle the association is aborted. Every data set
// goes to the peer through here, in fragments of even length (PS3.8 E).
func (a *Association) send(ctx context.Context, pc PresentationContext, cmd *Command, data io.Reader) error {
	a.writing.Lock()
	broken, err := a.sendLocked(ctx, pc, cmd, data)
	a.writing.Unlock()
	if broken {
		a.abortWith(err)
	}
	return err
}

func (a *Association) sendLocked(ctx context.Context, pc PresentationContext, cmd *Command, data io.Reader) (broken bool, err error) {
	room := commandRoom
	if data != nil {
		room += max(pDataHeader+a.sendMax+1, joinedRoom)
	}
	buf := a.buffers.get(room)
	defer a.buffers.put(buf)

	b, err := a.appendCommand((*buf)[:0], pc.ID, cmd)
	if err != nil {
		return false, err
	}
	if data == nil {
		return a.writeData(b)
	}

	if len(b) > commandRoom { // too long to share a write with the data set
		if broken, err := a.writeData(b); err != nil {
			return broken, err
		}
		b = b[:0]
		broken = true // from here on an error leaves half a message
	}

	if cap(b) < room {
		b = append(make([]byte, 0, room), b...)
	}
	broken2, err := a.sendData(ctx, b, pc, data)
	return broken && err != nil || broken2, err
}

const pDataHeader = ul.HeaderLength + ul.PDVHeaderLength

// sendData writes the data set behind what is already in b. The longest fragment is
// of even length, so that only the last can be odd.
func (a *Association) sendData(ctx context.Context, b []byte, pc PresentationContext, data io.Reader) (broken bool, err error) {
	carried := 0 // bytes of the next fragment already at its place
	for {
		start := len(b)
		frag := b[start+pDataHeader : start+pDataHeader+a.sendMax+1]
		n, err := io.ReadFull(data, frag[carried:])
		n += carried
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return broken, fmt.Errorf("dimse: read data set to send: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return broken, err
		}

		carried = 0
		if !last || n > a.sendMax {
			last = false
			n = a.sendMax
			carried = 1
		}
		if n&1 == 1 {
			if !deflated(pc.TransferSyntax) {
				return broken, ErrOddLength
			}
			frag[n] = 0 // the padding of PS3.5 A.5
			n++
		}

		h := ul.PDVHeader{ContextID: pc.ID, Last: last, Length: uint32(n)}
		ul.PutPDataHeader(b[start:start+pDataHeader], h)
		over := frag[a.sendMax] // belongs to the next fragment
		b = b[:start+pDataHeader+n]
		if last || cap(b)-len(b) < pDataHeader+a.sendMax+1 {
			if _, err := a.writeData(b); err != nil {
				return true, err
			}
			if last {
				return false, nil
			}
			broken = true
			b = b[:0]
		}
		b[:len(b)+pDataHeader+1][len(b)+pDataHeader] = over
	}
}

// deflated reports a transfer syntax whose data sets are compressed as a whole.
func deflated(transferSyntax string) bool {
	ts, _ := dicom.LookupTransferSyntax(transferSyntax)
	return ts.Deflated
}

// writeData writes P-DATA-TF when the state allows (PS3.8 9.2, Evt9).
func (a *Association) writeData(b []byte) (broken bool, err error) {
	if _, err := a.event(ul.Input{Event: ul.Evt9}, ul.Abort{}); err != nil {
		if ended := a.Err(); ended != nil {
			return false, ended
		}
		return false, err
	}
	if err := a.link.write(b, a.lim.Write); err != nil {
		a.link.conn.Close() // part of a PDU is out: there is no place for an A-ABORT
		return true, err
	}
	return false, nil
}

// appendCommand appends the command set as P-DATA-TFs.
func (a *Association) appendCommand(dst []byte, pc uint8, cmd *Command) ([]byte, error) {
	start := len(dst)
	dst = append(dst, make([]byte, pDataHeader)...)
	dst = cmd.AppendTo(dst)
	n := len(dst) - start - pDataHeader
	if n > a.lim.CommandSet {
		return dst[:start], fmt.Errorf("dimse: command set of %d bytes is longer than the limit", n)
	}
	if n <= a.sendMax {
		ul.PutPDataHeader(dst[start:], ul.PDVHeader{ContextID: pc, Command: true, Last: true, Length: uint32(n)})
		return dst, nil
	}

	whole := bytes.Clone(dst[start+pDataHeader:])
	dst = dst[:start]
	for len(whole) > 0 {
		part := whole[:min(len(whole), a.sendMax)]
		whole = whole[len(part):]
		at := len(dst)
		dst = append(dst, make([]byte, pDataHeader)...)
		ul.PutPDataHeader(dst[at:], ul.PDVHeader{ContextID: pc, Command: true, Last: len(whole) == 0, Length: uint32(len(part))})
		dst = append(dst, part...)
	}
	return dst, nil
}
