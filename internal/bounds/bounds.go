// Package bounds holds what stands on a command line to bounds: a flag says in its tag
// "bounds" from where to where its number or time goes, its help repeats it, and what is
// no UID is refused where one belongs.
package bounds

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"collimator/dicom/uid"
	"collimator/internal/fault"
)

// Tag names the tag of a flag that says from where to where its number or
// time goes: "1 to 3650", "1s to 1h".
const Tag = "bounds"

// uidPlaceholder stands in the help of what takes a UID.
const uidPlaceholder = "UID"

// Tell writes the bounds of each flag into its help.
func Tell(k *kong.Kong) error {
	return kong.Visit(k.Model.Node, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok && f.Tag.Has(Tag) {
			f.Help = strings.TrimSuffix(f.Help, ".") + "; " + f.Tag.Get(Tag) + "."
		}
		return next(nil)
	})
}

// Check refuses, of all that stands on the command line, numbers and times out
// of their bounds, and a word that is not a UID where one belongs.
func Check(ctx *kong.Context) error {
	for _, p := range ctx.Path {
		switch {
		case p.Flag != nil:
			if err := checkValue("--"+p.Flag.Name, p.Flag.Value); err != nil {
				return err
			}
		case p.Positional != nil:
			if err := checkValue(p.Positional.Summary(), p.Positional); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkValue(name string, v *kong.Value) error {
	takesUID := v.Tag.PlaceHolder == uidPlaceholder || v.Flag == nil && v.Name == "uid"
	if takesUID && !areUIDs(v.Target) {
		return fault.Usage("%s: that is not a UID: want numbers joined by dots, of at most %d characters, such as 1.2.840.10008.1",
			name, uid.MaxLength)
	}

	if !v.Tag.Has(Tag) {
		return nil
	}

	low, high, err := Of(v)
	if err != nil {
		return err
	}

	if n, err := number(v.Target); err != nil || n < low || n > high {
		return fault.Usage("%s: want %s", name, v.Tag.Get(Tag))
	}
	return nil
}

// areUIDs reports a UID, or a list of them; an empty one asks for nothing.
func areUIDs(v reflect.Value) bool {
	if v.Kind() == reflect.String {
		return v.String() == "" || uid.Tolerable(v.String())
	}

	for i := range v.Len() {
		if !uid.Tolerable(v.Index(i).String()) {
			return false
		}
	}
	return true
}

// Of reads the bounds of a flag in the unit of its value.
func Of(v *kong.Value) (low, high int64, err error) {
	from, to, ok := strings.Cut(v.Tag.Get(Tag), " to ")
	if !ok {
		return 0, 0, fmt.Errorf("%s: bounds are written as 1 to 10", v.Name)
	}

	if low, err = inUnit(v, from); err == nil {
		high, err = inUnit(v, to)
	}
	return low, high, err
}

func inUnit(v *kong.Value, text string) (int64, error) {
	if v.Target.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		return int64(d), err
	}
	return strconv.ParseInt(text, 10, 64)
}

// number is the value of a flag; an error where it is not a number.
func number(v reflect.Value) (int64, error) {
	if !v.CanInt() {
		return 0, fmt.Errorf("a %s has no bounds", v.Kind())
	}
	return v.Int(), nil
}
