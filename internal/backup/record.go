package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"collimator/internal/durable"
)

// RecordFile is the name, in a data directory, of what is known of its backups.
const RecordFile = "backup.json"

// Record is what a data directory knows of its backups.
type Record struct {
	Last      *Made      `json:"last,omitempty"`      // nil: none was made
	Rehearsed *Rehearsal `json:"rehearsed,omitempty"` // nil: never
}

// Made is a backup that was made.
type Made struct {
	Time    time.Time `json:"time"`
	To      string    `json:"to"`
	Files   int64     `json:"files"`
	Bytes   int64     `json:"bytes"`
	Keys    bool      `json:"keys"`    // they are in it
	Lacking int       `json:"lacking"` // files that could not be copied
}

// Rehearsal is a restore that was tried.
type Rehearsal struct {
	Time     time.Time     `json:"time"`
	From     string        `json:"from"`
	Copy     string        `json:"copy"`
	Files    int64         `json:"files"`
	Bytes    int64         `json:"bytes"`
	Restore  time.Duration `json:"restoreNanoseconds"`
	Verify   time.Duration `json:"verifyNanoseconds"`
	Keys     bool          `json:"keys"`     // they were opened with the recovery key
	Problems int           `json:"problems"` // things that were not as they were recorded
}

// LoadRecord reads it; of a directory without one it is zero.
func LoadRecord(data string) (r Record, err error) {
	b, err := os.ReadFile(filepath.Join(data, RecordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}

	if err == nil {
		err = json.Unmarshal(b, &r)
	}

	if err != nil {
		return Record{}, fmt.Errorf("backup: %s is malformed or cannot be read: %w", RecordFile, err)
	}

	return r, nil
}

// Update changes the record, and returns when that is durable. What cannot be
// read is written anew.
func Update(data string, change func(*Record)) error {
	r, _ := LoadRecord(data)
	change(&r)
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}

	return durable.Whole(filepath.Join(data, RecordFile), append(b, '\n'), 0o600)
}
