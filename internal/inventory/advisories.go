package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"collimator/internal/advisory"
	"collimator/internal/db"
)

// Imported is an advisory document that was taken in.
type Imported struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Source  string `json:"source"`
	SHA256  string `json:"sha256"`
	// Hash says by which hash file the document was checked: "sha256", "sha512", or "none".
	Hash string `json:"hash"`
	// Signature is the fingerprint of the key that signed it; empty: not signed, or not checked.
	Signature string    `json:"signature,omitempty"`
	At        time.Time `json:"imported"`

	Advisory advisory.Advisory `json:"-"`
}

// Advisories is the table of the built-in and the imported advisories.
func (r *Register) Advisories(ctx context.Context) (*advisory.Table, error) {
	list, err := r.Imported(ctx)
	if err != nil {
		return nil, err
	}

	imported := make([]advisory.Advisory, len(list))
	for i := range list {
		imported[i] = list[i].Advisory
	}
	return advisory.NewTable(advisory.BuiltIn(), imported), nil
}

// Imported lists the imported documents in order of their ids.
func (r *Register) Imported(ctx context.Context) (list []Imported, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanImported,
			`SELECT id, version, source, sha256, hash, signature, imported, body FROM advisory_document ORDER BY id`)

		return err
	})

	return list, err
}

func scanImported(scan db.Scan) (i Imported, err error) {
	var at int64
	var body string
	if err := scan(&i.ID, &i.Version, &i.Source, &i.SHA256, &i.Hash, &i.Signature, &at, &body); err != nil {
		return i, err
	}
	if err := json.Unmarshal([]byte(body), &i.Advisory); err != nil {
		return i, fmt.Errorf("inventory: read an imported advisory: %w", err)
	}
	i.At = db.Instant(at)

	return i, nil
}

// keep writes imported documents. A document does not replace a newer version
// of itself: replaying an old one must not take a weakness out.
func (r *Register) keep(ctx context.Context, list []Imported) (older []string, err error) {
	err = r.db.Write(ctx, func(tx *db.Tx) error {
		for _, i := range list {
			body, err := json.Marshal(i.Advisory)
			if err != nil {
				return err
			}

			var have string
			scanErr := tx.QueryRow(ctx, `SELECT version FROM advisory_document WHERE id = ?1`, i.ID).Scan(&have)
			if scanErr == nil && advisory.ParseVersion(have).Compare(advisory.ParseVersion(i.Version)) > 0 {
				older = append(older, i.ID)
				continue
			}

			_, err = tx.Exec(ctx,
				`INSERT INTO advisory_document (id, version, source, sha256, hash, signature, imported, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (id) DO UPDATE SET version = ?2, source = ?3, sha256 = ?4, hash = ?5, signature = ?6, imported = ?7, body = ?8`,
				i.ID, i.Version, i.Source, i.SHA256, i.Hash, i.Signature, db.Millis(r.now()), string(body))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return older, err
}
