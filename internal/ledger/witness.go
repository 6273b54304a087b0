package ledger

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"

	"collimator/internal/durable"
	"collimator/internal/fault"
)

// Witness is a file outside the data directory to which checkpoints are
// appended: on a share of another machine, or on storage that cannot be
// rewritten. Whoever rewrites the log, or puts another key in the place of the
// old one, would have to rewrite the witness too. Not safe for concurrent use.
type Witness struct {
	log  *Log
	book Register
	path string
	// begun: this process has written a checkpoint.
	begun bool
}

// NewWitness makes a witness of the file at path, which is made when it is not
// there. What was appended is remembered by the book.
func NewWitness(l *Log, book Register, path string) *Witness {
	return &Witness{log: l, book: book, path: path}
}

// maxCheckpoint is about the longest checkpoint that is read, in bytes.
const maxCheckpoint = 16 << 10

// ErrRemoved: a witness is shorter than it was when it was written last.
var ErrRemoved = fault.New(fault.Conflict, "ledger: checkpoints that were written to the witness are gone")

// Append writes the checkpoint of now, unless nothing was recorded since the one
// that was written last, remembers it in the index, and returns when both are
// durable. An empty log has no checkpoint, and Append does nothing. ErrRemoved is
// returned after the checkpoint was written.
func (w *Witness) Append(ctx context.Context) error {
	signed, err := w.log.Checkpoint(ctx)
	if fault.Of(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}

	last, err := w.log.written(ctx, w.path)
	if err != nil {
		return err
	}

	size := last.bytes
	info, err := os.Stat(w.path)
	removed := size > 0 && (errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() < size)

	idle, err := w.log.idle(ctx, signed, last.note)
	if err != nil {
		return err
	}
	if !idle {
		if size, err = w.write(signed); err != nil {
			return err
		}
		last.checkpoints++
		last.note = signed
		if !removed {
			last.bytes = size
		}

		if err := w.wrote(ctx, last); err != nil {
			return err
		}
	}

	if removed {
		return ErrRemoved
	}
	return nil
}

func (w *Witness) write(signed string) (size int64, err error) {
	f, err := durable.Append(w.path)
	if err != nil {
		return 0, fmt.Errorf("ledger: witness: %w; see the setting ledger.witness", err)
	}

	// A blank line between the notes, and in front of the first of this process:
	// the one before it may have been killed in the middle of one.
	if !w.begun {
		signed = "\n" + signed
	}

	_, err = f.WriteString(signed + "\n")
	if err == nil {
		err = f.Sync()
	}

	info, err2 := f.Stat()
	if err = errors.Join(err, err2, f.Close()); err != nil {
		return 0, fmt.Errorf("ledger: witness: %w", err)
	}

	w.begun = true
	return info.Size(), nil
}

// CheckWitness holds every checkpoint of a witness against the log. It yields
// the number of the checkpoint, from 1, and what is wrong with it; empty means
// nothing. It ends after the first error.
func (l *Log) CheckWitness(ctx context.Context, r io.Reader) iter.Seq2[Witnessed, error] {
	return func(yield func(Witnessed, error) bool) {
		n := 0
		for signed, err := range readNotes(r, l.key.signer.Name()) {
			if err != nil {
				yield(Witnessed{}, err)
				return
			}

			n++
			w, err := l.witnessed(ctx, n, signed)
			if !yield(w, err) || err != nil {
				return
			}
		}
	}
}

// Witnessed is what became of one checkpoint of a witness.
type Witnessed struct {
	Number  int // from 1
	Problem string
}

func (l *Log) witnessed(ctx context.Context, n int, signed string) (Witnessed, error) {
	_, err := l.Consistency(ctx, signed)
	// An error to which nobody gave a kind is Internal too, and says nothing
	// about the log.
	_, judged := errors.AsType[*fault.Error](err)

	switch kind := fault.Of(err); {
	case err == nil:
		return Witnessed{Number: n}, nil
	case kind == fault.Invalid:
		return Witnessed{
			Number: n, Problem: "it is not signed with the key of this log: the key was replaced, or the witness was changed",
		}, nil
	case kind == fault.Conflict, kind == fault.NotFound, kind == fault.Internal && judged:
		return Witnessed{Number: n, Problem: strings.TrimPrefix(fault.Text(err), "ledger: ")}, nil
	}

	return Witnessed{}, err
}

// readNotes splits a file of signed notes: at the blank line that follows the
// lines with signatures, and in front of a line that is origin, with which each
// begins. What else stands there, such as the rest of a note whose writer was
// killed, is a note of its own, so that it spoils no other. What is longer than
// a note can be is cut.
func readNotes(r io.Reader, origin string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		lines := bufio.NewReaderSize(r, 4<<10)
		var b strings.Builder
		signature := false
		for {
			line, err := readLine(lines)
			if err != nil && err != io.EOF {
				yield("", fault.Wrap(fault.Unavailable, err, "ledger: the witness cannot be read"))
				return
			}

			if b.Len() > 0 && (err == io.EOF || line == "" && signature || line == origin) {
				if !yield(b.String(), nil) {
					return
				}
				b.Reset()
				signature = false
			}

			if err == io.EOF {
				return
			}
			if line == "" && b.Len() == 0 {
				continue
			}

			signature = strings.HasPrefix(line, "\u2014 ")
			if b.Len() < maxCheckpoint {
				b.WriteString(line + "\n")
			}
		}
	}
}

// readLine returns the next line without its line feed. Of a line that is longer than
// the buffer of r it returns the beginning and skips the rest. The error is io.EOF once
// there is no line left.
func readLine(r *bufio.Reader) (string, error) {
	b, err := r.ReadSlice('\n')
	line := string(b)
	for err == bufio.ErrBufferFull {
		_, err = r.ReadSlice('\n')
	}

	if err == io.EOF && line != "" {
		err = nil
	}
	return strings.TrimSuffix(line, "\n"), err
}
