package disc

import (
	"context"

	"collimator/dicom/media"
	"collimator/internal/fault"
)

// Checked is what a check of a medium found. Its lists are never nil.
type Checked struct {
	Directory bool `json:"directory"` // there is a DICOMDIR
	Records   int  `json:"records"`   // of the DICOMDIR
	Objects   int  `json:"objects"`   // that records lead to, and that no record leads to
	Missing   int  `json:"missing"`   // files that are not there
	Unlisted  int  `json:"unlisted"`  // objects to which no record leads
	problems
}

// Check reads the directory of a medium, the beginning of every file that it leads
// to, and of every other file. progress is called for each object, where it is not nil.
func Check(ctx context.Context, path string, progress func()) (*Checked, error) {
	m, err := open(path)
	if err != nil {
		return nil, err
	}
	defer m.Close()

	c := &checker{out: &Checked{problems: problems{List: []Problem{}}}, listed: map[string]bool{}, progress: progress}
	if m.set == nil {
		c.out.add(*m.wrong)
	} else if err := c.directory(ctx, m.set); err != nil {
		return nil, err
	}
	return c.out, c.unlisted(ctx, m)
}

// checker makes a Checked.
type checker struct {
	out      *Checked
	listed   map[string]bool // files that a record leads to
	progress func()
}

// directory checks what the records say and lead to.
func (c *checker) directory(ctx context.Context, set *media.FileSet) error {
	c.out.Directory = true
	c.out.Records = set.Directory.Len()
	c.out.ofDirectory(set.Directory)
	for p := range set.Directory.Check() {
		if ctx.Err() != nil {
			return errStopped
		}
		c.out.add(p)
	}

	for o := range set.Check() {
		if ctx.Err() != nil {
			return errStopped
		}
		c.object(o)
		if o.Path == "" {
			c.out.Missing++
			continue
		}
		c.listed[o.Path] = true
	}
	return nil
}

func (c *checker) object(o media.Object) {
	c.out.Objects++
	c.out.add(o.Problems...)
	if c.progress != nil {
		c.progress()
	}
}

// unlisted looks for objects to which no record leads.
func (c *checker) unlisted(ctx context.Context, m *medium) error {
	for o := range media.Scan(m.fsys, media.Options{}) {
		switch {
		case ctx.Err() != nil:
			return errStopped
		case c.listed[o.Path], o.Head == nil && o.Problems[0].Kind == media.NotDICOM:
			continue
		case o.Head == nil:
			c.out.add(o.Problems...)
			continue
		}

		if c.out.Directory {
			c.out.Unlisted++
			alone := media.Problem{Kind: media.Unlisted, Offset: -1, Path: o.Path, Reason: "no record leads to this object"}
			o.Problems = append(o.Problems, alone)
		}
		c.object(o)
	}
	return nil
}

// Verdict is fault.Partly where something is wrong: it is listed.
func (c *Checked) Verdict() error {
	if c.All == 0 {
		return nil
	}
	return fault.Partial("something is wrong with the medium; it is listed")
}
