package inventory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Observe implements Sink.
func (r *Register) Observe(ctx context.Context, o Observation) (string, error) {
	var id int64
	err := r.db.Write(ctx, func(tx *db.Tx) (err error) {
		id, _, err = r.observe(ctx, tx, &o)
		return err
	})
	if err != nil {
		return "", err
	}
	return assetName(id), nil
}

// observe finds or makes the asset and notes what is new about it.
func (r *Register) observe(ctx context.Context, tx *db.Tx, o *Observation) (id int64, made bool, err error) {
	vals := r.values(o)
	if id, err = r.resolve(ctx, tx, o, vals); err != nil {
		return 0, false, err
	}

	if id == 0 {
		if len(vals) == 0 {
			return 0, false, fault.New(fault.Invalid,
				"inventory: nothing is said about the system; give at least a product, an address or an AE title")
		}
		if id, err = r.create(ctx, tx, o); err != nil {
			return 0, false, err
		}
		made = true
	}

	stranger := 0
	if o.Source == Refused {
		stranger = 1
	}

	_, err = tx.Exec(ctx,
		`UPDATE asset SET last_seen = ?2, stranger = stranger * ?3 WHERE id = ?1`, id, db.Millis(r.now()), stranger)
	if err != nil {
		return 0, false, err
	}

	for _, v := range vals {
		if err := r.put(ctx, tx, id, o, v, made); err != nil {
			return 0, false, err
		}
	}

	return id, made, nil
}

// create makes an asset; strangers above the bound push out the oldest of their kind.
func (r *Register) create(ctx context.Context, tx *db.Tx, o *Observation) (int64, error) {
	var n int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM asset WHERE merged_into = 0`).Scan(&n); err != nil {
		return 0, err
	}
	if n >= r.limits.Assets {
		return 0, fault.Newf(fault.TooLarge, "inventory: there are %d assets already, and no more are taken", n)
	}

	stranger := 0
	if o.Source == Refused {
		stranger = 1
		if err := r.dropStrangers(ctx, tx); err != nil {
			return 0, err
		}
	}

	var id int64
	err := tx.QueryRow(ctx,
		`INSERT INTO asset (created, last_seen, stranger, merged_into) VALUES (?1, ?1, ?2, 0) RETURNING id`,
		db.Millis(r.now()), stranger).Scan(&id)
	if err != nil || stranger == 1 {
		return id, err
	}
	return id, r.event(ctx, tx, o.Run, id, AssetNew, "source", "", string(o.Source))
}

// dropStrangers makes room for one. An asset about which somebody said or found
// something is no stranger any more, or has issues: those stay.
func (r *Register) dropStrangers(ctx context.Context, tx *db.Tx) error {
	const old = `SELECT id FROM asset WHERE stranger = 1 AND merged_into = 0
    AND id NOT IN (SELECT asset FROM issue) AND id NOT IN (SELECT asset FROM asset_statement)
    ORDER BY last_seen DESC, id DESC LIMIT 1000000 OFFSET ?1`

	if _, err := tx.Exec(ctx, `DELETE FROM asset_value WHERE asset IN (`+old+`)`, r.limits.Strangers-1); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM asset WHERE id IN (`+old+`)`, r.limits.Strangers-1)
	return err
}

// put notes one value that a source says of an asset. It is an event where the source
// said another one before, or where nobody has said it; made says that the asset is
// new itself, and that nothing is an event.
func (r *Register) put(ctx context.Context, tx *db.Tx, id int64, o *Observation, v value, made bool) error {
	slot := ""
	if several[v.field] {
		slot = v.folded
	}

	worth := o.Confidence
	if worth <= 0 || worth > 1 {
		worth = confidence[o.Source]
	}

	var old, oldFolded string
	err := tx.QueryRow(ctx,
		`SELECT value, folded FROM asset_value WHERE asset = ?1 AND field = ?2 AND source = ?3 AND slot = ?4`,
		id, v.field, string(o.Source), slot).Scan(&old, &oldFolded)
	known := err == nil
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}

	changed := known && oldFolded != v.folded
	if !known && !made && !changed {
		changed, err = r.isNew(ctx, tx, id, v)
		if err != nil {
			return err
		}
	}

	_, err = tx.Exec(ctx,
		`INSERT INTO asset_value (asset, field, source, slot, value, folded, confidence, first_seen, last_seen)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
    ON CONFLICT (asset, field, source, slot) DO UPDATE SET value = ?5, folded = ?6, confidence = ?7, last_seen = ?8`,
		id, v.field, string(o.Source), slot, v.text, v.folded, worth, db.Millis(r.now()))
	if err != nil {
		return err
	}

	if changed && o.Source != Refused && v.field != fieldRecord {
		if err := r.event(ctx, tx, o.Run, id, AssetChanged, v.field, old, v.text); err != nil {
			return err
		}
	}

	if !several[v.field] {
		return nil
	}
	// Of what a source says many times, the latest is kept.
	_, err = tx.Exec(ctx, `DELETE FROM asset_value WHERE asset = ?1 AND field = ?2 AND source = ?3 AND slot IN
		(SELECT slot FROM asset_value WHERE asset = ?1 AND field = ?2 AND source = ?3
		ORDER BY last_seen DESC, slot LIMIT 1000000 OFFSET ?4)`,
		id, v.field, string(o.Source), r.limits.Values)
	return err
}

// isNew reports whether no other source has said the same.
func (r *Register) isNew(ctx context.Context, tx *db.Tx, id int64, v value) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM asset_value WHERE asset = ?1 AND field = ?2 AND folded = ?3`,
		id, v.field, v.folded).Scan(&n)
	return n == 0, err
}

// resolve finds the asset an observation is about: by its name, MAC, serial
// number, AE title with address, address, host name, or place in a list; the
// first of these that finds one decides. A weaker sign is not believed where a
// stronger one contradicts it. 0 means that it is a new one.
func (r *Register) resolve(ctx context.Context, tx *db.Tx, o *Observation, vals []value) (int64, error) {
	if o.Asset != "" {
		return r.named(ctx, tx, o.Asset)
	}

	by := map[string][]value{}
	for _, v := range vals {
		if telling(v) {
			by[v.field] = append(by[v.field], v)
		}
	}

	steps := []struct{ field, with string }{
		{field: fieldMAC},
		{field: fieldSerial},
		{field: fieldAE, with: fieldAddress},
		{field: fieldAddress},
		{field: fieldHostname},
		{field: fieldRecord},
	}
	if o.Source == Refused {
		// What a stranger claims is not a sign; where it comes from is.
		steps = []struct{ field, with string }{{field: fieldAddress}}
	}

	for _, s := range steps {
		candidates, err := r.having(ctx, tx, by[s.field])
		if err != nil {
			return 0, err
		}

		if s.with != "" {
			others, err := r.having(ctx, tx, by[s.with])
			if err != nil {
				return 0, err
			}
			candidates = slices.DeleteFunc(candidates, func(id int64) bool { return !slices.Contains(others, id) })
		}

		for _, id := range candidates {
			against, err := r.contradicted(ctx, tx, id, s.field, by)
			if err != nil {
				return 0, err
			}
			if !against {
				return id, nil
			}
		}
	}
	return 0, nil
}

// named follows merges to the asset with a name.
func (r *Register) named(ctx context.Context, tx *db.Tx, name string) (int64, error) {
	id, err := parseAsset(name)
	if err != nil {
		return 0, err
	}

	for range 100 { // merges in a row
		var into int64
		err := tx.QueryRow(ctx, `SELECT merged_into FROM asset WHERE id = ?1`, id).Scan(&into)
		if fault.Of(err) == fault.NotFound {
			return 0, fault.Newf(fault.NotFound, "inventory: there is no asset %s; see 'collimator inventory list'", name)
		}
		if err != nil || into == 0 {
			return id, err
		}

		id = into
	}
	return 0, fmt.Errorf("inventory: %s is merged in a circle", name)
}

// having lists the assets that have one of the values, known ones before
// strangers, the latest seen first.
func (r *Register) having(ctx context.Context, tx *db.Tx, vals []value) ([]int64, error) {
	var out []int64
	for _, v := range vals {
		err := db.Each(ctx, tx, func(scan db.Scan) error {
			var id, stranger, seen int64
			if err := scan(&id, &stranger, &seen); err != nil {
				return err
			}
			if !slices.Contains(out, id) {
				out = append(out, id)
			}

			return nil
		}, `SELECT DISTINCT a.id, a.stranger, a.last_seen FROM asset_value v JOIN asset a ON a.id = v.asset
			WHERE v.field = ?1 AND v.folded = ?2 AND a.merged_into = 0 AND NOT (v.source = 'refused' AND v.field <> 'address')
			ORDER BY a.stranger, a.last_seen DESC, a.id LIMIT 50`, v.field, v.folded)
		if err != nil {
			return nil, err
		}
	}

	return out, nil
}

// contradicted reports whether an asset that was found by one sign has another
// value of a stronger one, or is another make.
func (r *Register) contradicted(ctx context.Context, tx *db.Tx, id int64, sign string, by map[string][]value) (bool, error) {
	for _, stronger := range []string{fieldMAC, fieldSerial} {
		if stronger == sign {
			break
		}
		if len(by[stronger]) == 0 {
			continue
		}

		have, err := r.folded(ctx, tx, id, stronger)
		if err != nil {
			return false, err
		}
		if len(have) > 0 && !slices.ContainsFunc(by[stronger], func(v value) bool { return slices.Contains(have, v.folded) }) {
			return true, nil
		}
	}

	if sign != fieldSerial || len(by[fieldVendor]) == 0 {
		return false, nil
	}
	// Serial numbers are counted by each vendor anew.
	have, err := r.folded(ctx, tx, id, fieldVendor)
	if err != nil || len(have) == 0 {
		return false, err
	}
	return !slices.ContainsFunc(have, func(h string) bool {
		return strings.EqualFold(r.vendors.Vendor(h), r.vendors.Vendor(by[fieldVendor][0].text))
	}), nil
}

func (r *Register) folded(ctx context.Context, tx *db.Tx, id int64, field string) ([]string, error) {
	return db.Column[string](ctx, tx,
		`SELECT DISTINCT folded FROM asset_value WHERE asset = ?1 AND field = ?2 AND source <> 'refused'`, id, field)
}
