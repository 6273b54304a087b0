package outbox

import (
	"context"
	"encoding/json"
	"time"

	"collimator/dimse"
	"collimator/internal/db"
)

// State is how far an object has come.
type State string

// The states.
const (
	Waiting State = "waiting" // to be sent
	Sent    State = "sent"    // stored there; that it is kept was not said yet
	Aside   State = "aside"   // refused for good: somebody has to look
)

// Item is an object that has to arrive.
type Item struct {
	ID          int64
	Destination string
	Target      string // where the destination led when it came
	Study       string
	SOPClassUID, SOPInstanceUID,
	TransferSyntax string
	Hash          string // SHA-256 of the data set, lower-case hex
	Size          int64  // of the data set, bytes
	Patient       string
	PatientIssuer string
	Source        string // AE title of who brought it

	State       State
	Tries       int
	Broken      int // associations that ended over it
	Due         time.Time
	Reason      string // why it waits or was set aside
	Queued      time.Time
	Sent        time.Time
	Answer      dimse.StatusCode
	Transaction string // of storage commitment; empty: not asked
	Asked       time.Time

	file string
}

// MarshalJSON implements json.Marshaler. Whose an object is stays out.
func (i Item) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID          int64     `json:"id"`
		Destination string    `json:"destination"`
		Target      string    `json:"target"`
		Study       string    `json:"study"`
		Class       string    `json:"sopClass"`
		Instance    string    `json:"sopInstance"`
		Syntax      string    `json:"transferSyntax"`
		Size        int64     `json:"size"`
		Source      string    `json:"source"`
		State       State     `json:"state"`
		Tries       int       `json:"tries"`
		Due         time.Time `json:"due,omitzero"`
		Reason      string    `json:"reason,omitempty"`
		Queued      time.Time `json:"queued"`
		Sent        time.Time `json:"sent,omitzero"`
	}{i.ID, i.Destination, i.Target, i.Study, i.SOPClassUID, i.SOPInstanceUID, i.TransferSyntax, i.Size, i.Source,
		i.State, i.Tries, i.Due, i.Reason, i.Queued, i.Sent})
}

const columns = `id, destination, target, study, uid, class, syntax, hash, size, file, patient, issuer, source,
	state, tries, broken, due, reason, queued, sent, answer, transaction_uid, asked`

func scanItem(scan db.Scan) (i Item, err error) {
	var due, queued, sent, asked int64
	err = scan(&i.ID, &i.Destination, &i.Target, &i.Study, &i.SOPInstanceUID, &i.SOPClassUID, &i.TransferSyntax, &i.Hash, &i.Size, &i.file,
		&i.Patient, &i.PatientIssuer, &i.Source, &i.State, &i.Tries, &i.Broken, &due, &i.Reason, &queued, &sent, &i.Answer,
		&i.Transaction, &asked)
	i.Due = instant(due)
	i.Queued = instant(queued)
	i.Sent = instant(sent)
	i.Asked = instant(asked)
	return i, err
}

// instant is a time of a row; zero for none.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return db.Instant(ms)
}

// Have finds the item of an instance for a destination; fault.NotFound where none waits.
func Have(ctx context.Context, tx *db.Tx, destination, uid string) (Item, error) {
	return scanItem(func(into ...any) error {
		return tx.QueryRow(ctx, `SELECT `+columns+` FROM outbox WHERE destination = ?1 AND uid = ?2`, destination, uid).Scan(into...)
	})
}
