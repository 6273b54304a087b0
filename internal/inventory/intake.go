package inventory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"collimator/internal/advisory"
	"collimator/internal/fault"
	"collimator/internal/phrase"
)

// Intake says how advisories are taken in.
type Intake struct {
	Keys Keys
	// RequireSignature refuses what carries no signature that was checked.
	RequireSignature bool
	// Only, where set, takes only documents whose file name begins so.
	Only string
}

// Taken is what became of one intake.
type Taken struct {
	Imported []Imported `json:"imported"`
	// Unsigned and Unhashed count documents without that protection.
	Unsigned int `json:"unsigned"`
	Unhashed int `json:"unhashed"`
	// Older are documents of which a newer version is here already.
	Older []string `json:"older,omitempty"`
	// Unchanged counts documents of a source that are as they were.
	Unchanged int `json:"unchanged"`
	// Refused names what was not taken, and why.
	Refused []string `json:"refused,omitempty"`
}

// maxFiles is how many documents one folder or source may have.
const maxFiles = 20_000

// ImportPath takes in a CSAF document, or all in a folder and below. What is
// wrong is refused and named, the others are taken.
func (r *Register) ImportPath(ctx context.Context, path string, in Intake) (Taken, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Taken{}, fmt.Errorf("inventory: %w", err)
	}

	names := []string{path}
	if info.IsDir() {
		if names, err = documents(path, in.Only); err != nil {
			return Taken{}, err
		}
	}

	var t Taken
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return t, err
		}

		s, err := readSealed(name)
		if err != nil {
			t.Refused = append(t.Refused, err.Error())
			continue
		}
		t.take(s, in)
	}
	err = r.store(ctx, &t)
	return t, err
}

func documents(dir, only string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		wanted := strings.HasSuffix(d.Name(), ".json") && strings.HasPrefix(d.Name(), only) && d.Name() != "provider-metadata.json"
		if !d.Type().IsRegular() || !wanted {
			return nil
		}

		names = append(names, path)
		if len(names) > maxFiles {
			return fault.Newf(fault.TooLarge, "inventory: more than %d documents", maxFiles)
		}
		return nil
	})

	slices.Sort(names)
	return names, err
}

// readSealed reads a document and what lies beside it.
func readSealed(name string) (*sealed, error) {
	s := &sealed{name: name}
	for _, part := range []struct {
		to     *[]byte
		suffix string
		most   int64
	}{
		{to: &s.body, suffix: "", most: advisory.MaxDocument},
		{to: &s.sha256, suffix: ".sha256", most: 4096},
		{to: &s.sha512, suffix: ".sha512", most: 4096},
		{to: &s.signature, suffix: ".asc", most: 64 << 10},
	} {
		info, err := os.Stat(name + part.suffix)
		if errors.Is(err, os.ErrNotExist) && part.suffix != "" {
			continue
		}
		if err != nil {
			return nil, err
		}

		if info.Size() > part.most {
			return nil, fault.Newf(fault.TooLarge,
				"%s%s: refused: it is larger than %d bytes", name, part.suffix, part.most)
		}

		if *part.to, err = os.ReadFile(name + part.suffix); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (t *Taken) take(s *sealed, in Intake) {
	i, err := s.take(in.Keys, in.RequireSignature)
	if err != nil {
		t.Refused = append(t.Refused, err.Error())
		return
	}

	if i.Signature == "" {
		t.Unsigned++
	}
	if i.Hash == "none" {
		t.Unhashed++
	}

	t.Imported = append(t.Imported, i)
}

// store keeps what was taken.
func (r *Register) store(ctx context.Context, t *Taken) (err error) {
	if t.Older, err = r.keep(ctx, t.Imported); err != nil {
		return err
	}
	t.Imported = slices.DeleteFunc(t.Imported, func(i Imported) bool { return slices.Contains(t.Older, i.ID) })
	return nil
}

// Add joins what another source had.
func (t *Taken) Add(o Taken) {
	t.Imported = append(t.Imported, o.Imported...)
	t.Older = append(t.Older, o.Older...)
	t.Refused = append(t.Refused, o.Refused...)
	t.Unsigned += o.Unsigned
	t.Unhashed += o.Unhashed
	t.Unchanged += o.Unchanged
}

// Print says in words how many there were of each kind.
func (t Taken) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d taken in, %d unchanged, %d older than what is here, %d refused.\n",
		len(t.Imported), t.Unchanged, len(t.Older), len(t.Refused))

	if t.Unsigned > 0 {
		fmt.Fprintf(w, "%d carry no signature that was checked; --key FILE checks them.\n", t.Unsigned)
	}
	if t.Unhashed > 0 {
		fmt.Fprintf(w, "%d have no hash beside them.\n", t.Unhashed)
	}
	return err
}

// Verdict ends as fault.Partly where something was refused.
func (t Taken) Verdict() error {
	if len(t.Refused) == 0 {
		return nil
	}
	return fault.Partial("%s refused", phrase.Count(len(t.Refused), "document was", "documents were"))
}
