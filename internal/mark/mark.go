// Package mark keeps what people say of a study: labels, a status and a note. It stands beside
// the index and is no part of what an instance says, so an index that is made anew leaves it
// as it is. It is a register: every change is a leaf of the ledger, and verify finds what was changed
// in another way. Reading it is for the index (archive/index), which lists studies with it.
package mark

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/registers"
)

// Bounds of what is said of one study.
const (
	labelsMost = 32
	labelMost  = 64      // characters
	noteMost   = 4 << 10 // bytes
)

// Mark is what is said of a study.
type Mark struct {
	Labels []string `json:"labels"`
	Status string   `json:"status"` // a word of whoever uses it; empty: none
	Note   string   `json:"note"`
}

// Set says of a study what m says, and forgets what was said before; of an empty m nothing is left.
// Whether the study is there is for the caller to look at. A mark that is too long is of kind Invalid.
func Set(ctx context.Context, tx *db.Tx, book *registers.Book, study string, m Mark, person string, now time.Time) error {
	if err := m.settle(); err != nil {
		return err
	}
	if err := End(ctx, tx, book, study); err != nil || len(m.Labels) == 0 && m.Status == "" && m.Note == "" {
		return err
	}

	labels, err := json.Marshal(m.Labels)
	if err != nil {
		return err
	}
	_, err = book.Exec(ctx, tx, `INSERT INTO study_mark (study, status, note, labels, changed, person) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
		study, m.Status, m.Note, string(labels), db.Millis(now), person)
	if err != nil {
		return err
	}
	for _, label := range m.Labels {
		if _, err := tx.Exec(ctx, `INSERT INTO study_label (label, study) VALUES (?1, ?2)`, label, study); err != nil {
			return err
		}
	}

	return nil
}

// End forgets what was said of a study.
func End(ctx context.Context, tx *db.Tx, book *registers.Book, study string) error {
	_, err := book.Exec(ctx, tx, `DELETE FROM study_mark WHERE study = ?1`, study)

	return err
}

// settle sorts the labels and checks all.
func (m *Mark) settle() error {
	var labels []string
	for _, l := range m.Labels {
		l = strings.TrimSpace(l)
		if l == "" || !word(l) {
			return fault.Newf(fault.Invalid, "mark: a label has 1 to %d printable characters", labelMost)
		}
		labels = append(labels, l)
	}
	slices.Sort(labels)
	m.Labels = slices.Compact(labels)
	if m.Labels == nil {
		m.Labels = []string{}
	}

	m.Status = strings.TrimSpace(m.Status)
	switch {
	case len(m.Labels) > labelsMost:
		return fault.Newf(fault.Invalid, "mark: a study has at most %d labels", labelsMost)
	case !word(m.Status):
		return fault.Newf(fault.Invalid, "mark: a status has at most %d printable characters", labelMost)
	case len(m.Note) > noteMost || !utf8.ValidString(m.Note) || strings.ContainsRune(m.Note, 0):
		return fault.Newf(fault.Invalid, "mark: a note is text of at most %d bytes", noteMost)
	}

	return nil
}

// word reports a short text of printable characters.
func word(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= labelMost &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Told says how much is said, without a word of it: a label or a note may hold values of a patient.
func (m Mark) Told() string {
	return fmt.Sprintf("%d labels, a status of %d and a note of %d bytes", len(m.Labels), len(m.Status), len(m.Note))
}
