package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// Asset is one device with the best that is known about it.
type Asset struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Vendor   string `json:"vendor,omitempty"`
	Product  string `json:"product,omitempty"`
	Version  string `json:"version,omitempty"`
	Serial   string `json:"serial,omitempty"`
	Location string `json:"location,omitempty"`
	Zone     string `json:"zone,omitempty"`
	Owner    string `json:"owner,omitempty"`
	Hostname string `json:"hostname,omitempty"`
	Note     string `json:"note,omitempty"`

	Addresses       []string `json:"addresses,omitempty"`
	MACs            []string `json:"macs,omitempty"`
	AETitles        []string `json:"aeTitles,omitempty"`
	Ports           []int    `json:"ports,omitempty"`
	Implementations []string `json:"implementations,omitempty"`

	// Confidence is the one of the product, from 0 to 1.
	Confidence float64  `json:"confidence"`
	Sources    []Seen   `json:"sources"`
	Conflicts  []string `json:"conflicts,omitempty"`
	// Refused: known only from a caller that was refused.
	Refused   bool      `json:"refused,omitempty"`
	FirstSeen time.Time `json:"firstSeen"`
	LastSeen  time.Time `json:"lastSeen"`

	Warning Warning `json:"warning"`

	id     int64
	values []stored
}

// Seen is when a source spoke of an asset.
type Seen struct {
	Source    Source    `json:"source"`
	FirstSeen time.Time `json:"firstSeen"`
	LastSeen  time.Time `json:"lastSeen"`
}

// stored is one row of asset_value.
type stored struct {
	field, text, folded string
	source              Source
	confidence          float64
	first, last         int64
}

// Label is what people call the asset.
func (a *Asset) Label() string {
	for _, s := range []string{
		a.Name, a.Hostname, strings.TrimSpace(a.Vendor + " " + a.Product), strings.Join(a.AETitles, ","), strings.Join(a.Addresses, ","),
	} {
		if s != "" {
			return s
		}
	}
	return a.ID
}

// Assets lists all assets in the order of their names, those known only from
// refused callers last.
func (r *Register) Assets(ctx context.Context) (list []*Asset, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		list, err = r.load(ctx, tx, 0)
		return err
	})
	return list, err
}

// Asset is one asset; the error is of kind NotFound where there is none.
func (r *Register) Asset(ctx context.Context, name string) (*Asset, error) {
	var found *Asset
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		id, err := r.named(ctx, tx, name)
		if err != nil {
			return err
		}

		list, err := r.load(ctx, tx, id)
		if err != nil {
			return err
		}

		if len(list) == 0 {
			return fault.Newf(fault.NotFound, "inventory: there is no asset %s; see 'collimator inventory list'", name)
		}

		found = list[0]
		return nil
	})
	return found, err
}

// load reads one asset, or all where only is 0.
func (r *Register) load(ctx context.Context, tx *db.Tx, only int64) ([]*Asset, error) {
	byID := map[int64]*Asset{}

	list, err := db.All(ctx, tx, scanAsset,
		`SELECT id, created, last_seen, stranger FROM asset WHERE merged_into = 0 AND (?1 = 0 OR id = ?1) ORDER BY stranger, id`, only)
	if err != nil {
		return nil, err
	}

	for _, a := range list {
		byID[a.id] = a
	}
	if err := r.loadValues(ctx, tx, only, byID); err != nil {
		return nil, err
	}

	for _, a := range list {
		a.fill(r)
	}

	if only == 0 {
		shared(list)
	}

	if err := r.loadStatements(ctx, tx, only, byID); err != nil {
		return nil, err
	}
	return list, r.loadIssueCounts(ctx, tx, only, byID)
}

func scanAsset(scan db.Scan) (*Asset, error) {
	a := &Asset{}
	var created, seen, stranger int64
	if err := scan(&a.id, &created, &seen, &stranger); err != nil {
		return nil, err
	}
	a.ID = assetName(a.id)
	a.FirstSeen = db.Instant(created)
	a.LastSeen = db.Instant(seen)
	a.Refused = stranger == 1

	return a, nil
}

func (r *Register) loadValues(ctx context.Context, tx *db.Tx, only int64, byID map[int64]*Asset) error {
	return db.Each(ctx, tx, func(scan db.Scan) error {
		var id int64
		var v stored
		if err := scan(&id, &v.field, &v.source, &v.text, &v.folded, &v.confidence, &v.first, &v.last); err != nil {
			return err
		}
		if a := byID[id]; a != nil {
			a.values = append(a.values, v)
		}

		return nil
	}, `SELECT asset, field, source, value, folded, confidence, first_seen, last_seen FROM asset_value WHERE ?1 = 0 OR asset = ?1
		ORDER BY asset, field, confidence DESC, last_seen DESC, source, slot`, only)
}

// fill sets the fields to the value that is worth most, and names contradictions.
func (a *Asset) fill(r *Register) {
	single := map[string]*string{
		fieldName: &a.Name, fieldVendor: &a.Vendor, fieldProduct: &a.Product, fieldVersion: &a.Version, fieldSerial: &a.Serial,
		fieldLocation: &a.Location, fieldZone: &a.Zone, fieldOwner: &a.Owner, fieldHostname: &a.Hostname, fieldNote: &a.Note,
	}
	lists := map[string]*[]string{
		fieldAddress: &a.Addresses, fieldMAC: &a.MACs, fieldAE: &a.AETitles, fieldImplementation: &a.Implementations,
	}

	// Values come the surest first, so the first of a field is the best one.
	best := map[string]stored{}
	for _, v := range a.values {
		a.seen(v)

		if p := single[v.field]; p != nil {
			if *p == "" {
				*p = v.text
				best[v.field] = v
				if v.field == fieldProduct {
					a.Confidence = v.confidence
				}
			} else {
				a.contradict(r, best[v.field], v)
			}
		}

		if p := lists[v.field]; p != nil && !slices.Contains(*p, v.text) {
			*p = append(*p, v.text)
		}

		if n, err := strconv.Atoi(v.text); v.field == fieldPort && err == nil && !slices.Contains(a.Ports, n) {
			a.Ports = append(a.Ports, n)
		}
	}

	slices.Sort(a.Ports)
	slices.SortFunc(a.Sources, func(x, y Seen) int {
		return cmp.Or(x.FirstSeen.Compare(y.FirstSeen), strings.Compare(string(x.Source), string(y.Source)))
	})
}

func (a *Asset) seen(v stored) {
	for i := range a.Sources {
		s := &a.Sources[i]
		if s.Source == v.source {
			s.FirstSeen = db.Instant(min(db.Millis(s.FirstSeen), v.first))
			s.LastSeen = db.Instant(max(db.Millis(s.LastSeen), v.last))
			return
		}
	}
	a.Sources = append(a.Sources, Seen{Source: v.source, FirstSeen: db.Instant(v.first), LastSeen: db.Instant(v.last)})
}

// contradict notes that two sources say different things about what a device is.
func (a *Asset) contradict(r *Register, best, v stored) {
	switch v.field {
	case fieldVendor:
		if strings.EqualFold(r.vendors.Vendor(best.text), r.vendors.Vendor(v.text)) {
			return
		}
	case fieldProduct, fieldVersion, fieldSerial:
	default:
		return
	}

	if best.folded != v.folded {
		a.Conflicts = append(a.Conflicts,
			fmt.Sprintf("%s: %s says %s, %s says %s", v.field, best.source, best.text, v.source, v.text))
	}
}

// shared notes signs that should belong to one device and stand at several.
func shared(list []*Asset) {
	owner := map[string]*Asset{}
	for _, a := range list {
		for _, v := range a.values {
			if v.field != fieldAddress && v.field != fieldMAC && v.field != fieldSerial || v.source == Refused {
				continue
			}

			key := v.field + " " + v.folded
			other := owner[key]
			switch {
			case other == nil:
				owner[key] = a
			case other != a:
				note := fmt.Sprintf("%s %s is also that of %s", v.field, v.text, other.ID)
				if !slices.Contains(a.Conflicts, note) {
					a.Conflicts = append(a.Conflicts, note)
					other.Conflicts = append(other.Conflicts, fmt.Sprintf("%s %s is also that of %s", v.field, v.text, a.ID))
				}
			}
		}
	}
}

// Merge makes one asset of two: everything known about from goes to into.
func (r *Register) Merge(ctx context.Context, into, from string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		a, err := r.named(ctx, tx, into)
		if err != nil {
			return err
		}
		b, err := r.named(ctx, tx, from)
		if err != nil {
			return err
		}

		if a == b {
			return fault.Newf(fault.Invalid, "inventory: %s and %s are the same asset already", into, from)
		}

		// What both have said is kept once, then all that was the one's is the other's.
		for _, q := range []string{
			`DELETE FROM asset_value WHERE asset = ?2 AND EXISTS (SELECT 1 FROM asset_value o WHERE o.asset = ?1
    AND o.field = asset_value.field AND o.source = asset_value.source AND o.slot = asset_value.slot)`,
			`UPDATE asset_value SET asset = ?1 WHERE asset = ?2`,
			`UPDATE asset_statement SET asset = ?1 WHERE asset = ?2`,
			`DELETE FROM issue WHERE asset = ?2 AND EXISTS (SELECT 1 FROM issue o WHERE o.asset = ?1 AND o.key = issue.key)`,
			`UPDATE issue SET asset = ?1 WHERE asset = ?2`,
			`UPDATE asset SET merged_into = ?1 WHERE id = ?2`,
			`UPDATE asset SET stranger = stranger * (SELECT stranger FROM asset WHERE id = ?2) WHERE id = ?1`,
		} {
			if _, err := tx.Exec(ctx, q, a, b); err != nil {
				return err
			}
		}

		return r.event(ctx, tx, 0, a, AssetMerged, "", assetName(b), assetName(a))
	})
}

// Split takes what one source says out of an asset and makes an asset of its
// own of it: two devices had been taken for one.
func (r *Register) Split(ctx context.Context, name string, source Source) (string, error) {
	var id int64
	err := r.db.Write(ctx, func(tx *db.Tx) error {
		a, err := r.named(ctx, tx, name)
		if err != nil {
			return err
		}

		var of, all int
		err = tx.QueryRow(ctx, `SELECT COUNT(CASE WHEN source = ?2 THEN 1 END), COUNT(*) FROM asset_value WHERE asset = ?1`,
			a, string(source)).Scan(&of, &all)
		if err != nil {
			return err
		}

		if of == 0 || of == all {
			return fault.Newf(fault.Invalid,
				"inventory: %s says nothing, or everything, about %s: there is nothing to split", source, name)
		}

		if id, err = r.create(ctx, tx, &Observation{Source: source}); err != nil {
			return err
		}

		_, err = tx.Exec(ctx, `UPDATE asset_value SET asset = ?1 WHERE asset = ?2 AND source = ?3`, id, a, string(source))
		if err != nil {
			return err
		}
		return r.event(ctx, tx, 0, id, AssetSplit, string(source), assetName(a), assetName(id))
	})
	if err != nil {
		return "", err
	}
	return assetName(id), nil
}

// Remove takes an asset out with all that is known about it.
func (r *Register) Remove(ctx context.Context, name string) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		id, err := r.named(ctx, tx, name)
		if err != nil {
			return err
		}

		for _, q := range []string{
			`DELETE FROM asset_value WHERE asset = ?1`, `DELETE FROM asset_statement WHERE asset = ?1`,
			`DELETE FROM issue WHERE asset = ?1`,
			`DELETE FROM asset WHERE merged_into = ?1`, `DELETE FROM asset WHERE id = ?1`,
		} {
			if _, err := tx.Exec(ctx, q, id); err != nil {
				return err
			}
		}

		return r.event(ctx, tx, 0, id, AssetRemoved, "", name, "")
	})
}
