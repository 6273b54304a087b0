package archive

import (
	"context"
	"time"

	"collimator/internal/db"
)

// A refusal is what is left of an instance for which the quarantine had no room:
// that it came, and why it was not taken.

// roomInQuarantine says whether one more may be held back: within what all hold
// together and within the share of the source, so that nobody's flood keeps
// what others send from being looked at. What gave way by a decision always has
// room.
func (a *Archive) roomInQuarantine(ctx context.Context, tx *db.Tx, reason Reason, size int64, principal string) (bool, error) {
	if reason == Replaced {
		return true, nil
	}
	var entries, bytes, own, ownBytes int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0), COALESCE(SUM(principal = ?1), 0),
		COALESCE(SUM(CASE WHEN principal = ?1 THEN size ELSE 0 END), 0) FROM quarantine`, principal).
		Scan(&entries, &bytes, &own, &ownBytes)
	if err != nil {
		return false, err
	}

	share := a.limits.QuarantineBytes / 4

	return entries < int64(a.limits.QuarantineEntries) && bytes+size <= a.limits.QuarantineBytes &&
		own < int64(a.limits.QuarantineShare) && ownBytes+min(size, share) <= share, nil
}

// refusalsMost is how many refused contents are remembered; the oldest go.
const refusalsMost = 100_000

// refuse remembers that a content was refused without being kept.
func refuse(ctx context.Context, tx *db.Tx, reason Reason, ref InstanceRef, s Source, at time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO refusal (uid, digest, reason, principal, times, last) VALUES (?1, ?2, ?3, ?4, 1, ?5)
		ON CONFLICT (uid, digest) DO UPDATE SET id = (SELECT MAX(id) + 1 FROM refusal), times = times + 1, last = excluded.last`,
		ref.SOPInstanceUID, ref.Digest, string(reason), s.Principal, db.Millis(at))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM refusal WHERE id <= (SELECT MAX(id) FROM refusal) - ?1`, refusalsMost)

	return err
}

// forgetRefusal forgets that a content was refused: it is kept now, stored or held.
func forgetRefusal(ctx context.Context, tx *db.Tx, sopInstanceUID, digest string) error {
	_, err := tx.Exec(ctx, `DELETE FROM refusal WHERE uid = ?1 AND digest = ?2`, sopInstanceUID, digest)

	return err
}

// contested reports a content under a UID that was held back or refused: who
// asks may mean that one.
func contested(ctx context.Context, tx *db.Tx, sopInstanceUID string) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM quarantine WHERE uid = ?1 AND reason <> 'replaced')
		OR EXISTS (SELECT 1 FROM refusal WHERE uid = ?1)`, sopInstanceUID).Scan(&n)

	return n != 0, err
}
