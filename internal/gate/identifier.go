package gate

import (
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/fault"
)

// Bounds of an identifier that goes on to a system behind the gate (PS3.4 C.2.2.1.1: who
// asks for more asks for something else).
const (
	keysMost   = 256
	itemsMost  = 16
	depthMost  = 4
	valuesMost = 4096 // of one key
	valueMost  = 1024 // bytes of one value
	starsMost  = 5    // in one value
)

// errKeys refuses an identifier for its size.
var errKeys = fault.Newf(fault.TooLarge, "gate: more than %d keys, %d items, %d levels, or %d values of a key", keysMost, itemsMost, depthMost, valuesMost)

// errPattern refuses a value that takes long to match: with each star in it the time may grow by
// the length of what is matched.
var errPattern = fault.Newf(fault.TooLarge, "gate: a value of a key has more than %d stars or %d bytes", starsMost, valueMost)

// Identifier is one that asks at a level, by its word (PS3.4 C.4.1.1.3); a key without a value is
// asked for. It fails with a value that its key cannot have.
func Identifier(level string, keys map[tag.Tag]string) (*dicom.DataSet, error) {
	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.QueryRetrieveLevel, level); err != nil {
		return nil, err
	}
	for t, value := range keys {
		if err := ds.SetText(t, value); err != nil {
			return nil, err
		}
	}
	return ds, nil
}

// checkIdentifier refuses what no query needs and a server may choke on, and what a patch keeps
// away.
func (r *route) checkIdentifier(ds *dicom.DataSet) error {
	if err := checkIdentifier(ds); err != nil {
		return err
	}
	if refusal := r.patches.Keys(ds); refusal != nil {
		return patched(refusal)
	}
	return nil
}

// checkIdentifier refuses what no query needs and a server may choke on.
func checkIdentifier(ds *dicom.DataSet) error {
	keys := 0
	return checkKeys(ds, &keys, 1)
}

func checkKeys(ds *dicom.DataSet, keys *int, depth int) error {
	if depth > depthMost {
		return errKeys
	}
	for el := range ds.All() {
		if *keys++; *keys > keysMost {
			return errKeys
		}
		if el.Tag.Group() < 8 && el.Tag != tag.SpecificCharacterSet {
			return fault.Newf(fault.Invalid, "gate: %s is not a key", el.Tag)
		}
		if err := checkValues(el); err != nil {
			return err
		}

		items := el.Items()
		if len(items) > itemsMost {
			return errKeys
		}
		for _, item := range items {
			if err := checkKeys(item, keys, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkValues refuses a key that takes long to match.
func checkValues(el dicom.Element) error {
	if el.Sequence() || el.Encapsulated() {
		return nil
	}

	values := strings.Split(string(el.Bytes()), `\`)
	if len(values) > valuesMost {
		return errKeys
	}
	for _, value := range values {
		if len(value) > valueMost || strings.Count(value, "*") > starsMost {
			return errPattern
		}
	}
	return nil
}
