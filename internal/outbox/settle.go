package outbox

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"collimator/dimse"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// verdict is what becomes of an object after an attempt.
type verdict int

const (
	stored  verdict = iota
	later           // it may be taken another time
	misread         // the destination does not understand it: perhaps it does another time
	never           // it is not taken as it is
	ended           // the association ended over it
)

// judge is the verdict about an attempt, and why (PS3.4 B.2.3).
func judge(status dimse.Status, err error) (verdict, string) {
	if answer, ok := errors.AsType[*dimse.StatusError](err); ok {
		status = answer.Status
		err = nil
	}
	switch {
	case errors.Is(err, errGone), errors.Is(err, errDamaged):
		return never, fault.Text(err)
	case errors.Is(err, dimse.ErrNoContext):
		return never, "the destination does not take this SOP Class in this transfer syntax"
	case err != nil:
		return ended, reasonOf(err)
	}

	text := "the destination answered " + status.Code.String()
	switch code := status.Code; {
	case code.Class() == dimse.ClassSuccess, code.Class() == dimse.ClassWarning:
		return stored, ""
	case code>>12 == 0xC:
		return misread, text
	case code>>8 == 0xA9, code == dimse.InvalidSOPInstance, code == dimse.DuplicateSOPInstance, code == dimse.SOPClassNotSupported,
		code == dimse.NoSuchSOPClass:
		return never, text
	}
	return later, text
}

// settle keeps what came of an attempt. next reports that the study goes on.
func (b *Outbox) settle(ctx context.Context, i Item, status dimse.Status, v verdict, why string) (next bool, err error) {
	i.Tries++
	if v == ended {
		i.Broken++
	}
	switch {
	case v == misread && i.Tries >= misreadMost, v == ended && i.Broken >= brokenMost:
		v = never
		why = fmt.Sprintf("%s, %d times", why, i.Tries)
	}

	switch v {
	case stored:
		return true, b.keepSent(ctx, i, status.Code)
	case never:
		b.Log.Warn("an object is set aside", "destination", i.Destination, "number", i.ID, "reason", why)
		defer b.awake()
		return true, failed(b.DB.Write(ctx, func(tx *db.Tx) error { return setAside(ctx, tx, i, Waiting, why) }), "set an object aside")
	}
	return false, failed(b.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := change(ctx, tx, i, Waiting, `tries = ?5, broken = ?6, due = ?7, reason = ?8`,
			i.Tries, i.Broken, db.Millis(b.Now().Add(pause(i.Tries))), why)
		return err
	}), "keep what came of an attempt")
}

// change writes what became of an object that was looked at in a state: of its row as it was then.
// Meanwhile somebody may have redirected it, had it sent again, or sent it again; n is 0 then.
func change(ctx context.Context, tx *db.Tx, i Item, was State, set string, args ...any) (n int64, err error) {
	return tx.Exec(ctx, `UPDATE outbox SET `+set+` WHERE id = ?1 AND target = ?2 AND file = ?3 AND state = ?4`,
		append([]any{i.ID, i.Target, i.file, string(was)}, args...)...)
}

// keepSent keeps that an object was stored there. One that somebody dropped or redirected while it was
// under way is told as handed over at once: it left all the same.
func (b *Outbox) keepSent(ctx context.Context, i Item, answer dimse.StatusCode) error {
	return failed(b.DB.Write(ctx, func(tx *db.Tx) error {
		n, err := change(ctx, tx, i, Waiting, `state = 'sent', tries = ?5, sent = ?6, answer = ?7, reason = '', due = 0, broken = 0,
			transaction_uid = '', asked = 0`, i.Tries, db.Millis(b.Now()), int(answer))
		if err != nil || n > 0 || b.Handed == nil {
			return err
		}
		i.Sent = b.Now()
		i.Answer = answer
		return b.Handed(ctx, tx, []Item{i})
	}), "keep what came of an attempt")
}

func (b *Outbox) update(ctx context.Context, query string, args ...any) error {
	return failed(b.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	}), "keep what came of an attempt")
}

func setAside(ctx context.Context, tx *db.Tx, i Item, was State, why string) error {
	_, err := change(ctx, tx, i, was, `state = 'aside', reason = ?5, due = 0, transaction_uid = ''`, why)
	return err
}

// arrived drops objects that the destination has. What is to be sent once more since then stays.
func (b *Outbox) arrived(ctx context.Context, list []Item) error {
	if len(list) == 0 {
		return nil
	}
	var dropped []Item
	err := b.DB.Write(ctx, func(tx *db.Tx) error {
		dropped = nil
		for _, i := range list {
			n, err := tx.Exec(ctx, `DELETE FROM outbox WHERE id = ?1 AND target = ?2 AND file = ?3 AND state = 'sent'`,
				i.ID, i.Target, i.file)
			if err != nil {
				return err
			}
			if n > 0 {
				dropped = append(dropped, i)
			}
		}
		if b.Handed == nil || len(dropped) == 0 {
			return nil
		}
		return b.Handed(ctx, tx, dropped)
	})
	if err != nil {
		return failed(err, "drop what arrived")
	}

	defer b.awake()
	var errs error
	for _, i := range dropped {
		errs = errors.Join(errs, removeFile(filepath.Join(b.Dir, i.file)))
	}
	return failed(errs, "remove what arrived")
}
