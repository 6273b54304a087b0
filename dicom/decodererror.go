package dicom

import (
	"strconv"
	"strings"
)

// note keeps what was irregular and read all the same.
func (d *Decoder) note(ev Event, reason string) {
	if len(d.notes) < maxNotes {
		d.notes = append(d.notes, Note{ev.Tag, ev.Offset, reason})
	}
}

func (d *Decoder) fail(t Tag, clause, reason string, err error) error {
	return d.failAt(d.off, t, clause, reason, err)
}

func (d *Decoder) failAt(off int64, t Tag, clause, reason string, err error) error {
	return &SyntaxError{Tag: t, Path: d.path(), Offset: off, Clause: clause, Reason: reason, tagged: true, err: err}
}

// path names the sequences and items that are open.
func (d *Decoder) path() string {
	var b strings.Builder
	for _, l := range d.stack[1:] {
		switch {
		case b.Len() > 200:
			return b.String() + "..."
		case l.kind == ItemBegin:
			b.WriteString("[" + strconv.Itoa(l.index+1) + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(l.tag.String())
		}
	}
	return b.String()
}
