package main

import (
	"io"

	"collimator/internal/disc"
	"collimator/internal/terminal"
)

type mediaCmd struct {
	Ls    mediaListCmd  `cmd:"" help:"List what is on a CD, in a folder or in a zip."`
	Check mediaCheckCmd `cmd:"" help:"Hold the DICOMDIR against the files, and the files against it."`
	Make  mediaMakeCmd  `cmd:"" help:"Make a file-set with a DICOMDIR of files, to be burned or copied."`
}

// mediumArg is the medium of a command.
type mediumArg struct {
	Path string `arg:"" help:"A folder, a DICOMDIR, a zip or an ISO 9660 image." placeholder:"PATH"`
}

type mediaListCmd struct {
	outputFlag
	mediumArg
	Reveal bool `help:"Print names, IDs, dates, descriptions and UIDs of patients too."`
}

func (mediaListCmd) Help() string {
	return `Patients, studies and series are numbered as they come: who they are is printed with --reveal, where
you may see it. A DICOMDIR is read as far as it makes sense, and what is wrong with it is listed. Without a
DICOMDIR every file is looked at.

Example:
  collimator media ls /media/cdrom`
}

func (c *mediaListCmd) Run(e *env) error {
	p := terminal.NewProgress(e.stderr, "looked at", 0)
	listing, err := disc.List(e.ctx, c.Path, disc.ListOptions{Reveal: c.Reveal, Progress: p.Tick})
	p.End()
	if err != nil {
		return err
	}
	return terminal.Show(e.stdout, c.Output, listing, func(w io.Writer) error { return listing.Print(w, c.Reveal) })
}

type mediaCheckCmd struct {
	mediumArg
	Output string `short:"o" help:"text or json." enum:"text,json" default:"text"`
}

func (mediaCheckCmd) Help() string {
	return `Looks at every record and at the beginning of every file: offsets and keys of the records, files that are
missing or hold something else than their record says, objects that no record leads to. Pixel data are not
read.

Exit code 0 where nothing is wrong, 3 where something is, which is listed, and 1 where the medium cannot be
read.

Example:
  collimator media check /media/cdrom`
}

func (c *mediaCheckCmd) Run(e *env) error {
	p := terminal.NewProgress(e.stderr, "checked", 0)
	checked, err := disc.Check(e.ctx, c.Path, p.Tick)
	p.End()
	if err != nil {
		return err
	}
	if err := terminal.Show(e.stdout, c.Output, checked, checked.Print); err != nil {
		return err
	}
	return checked.Verdict()
}

type mediaMakeCmd struct {
	Dir    string   `arg:"" help:"Folder for the file-set; it is made, or is empty." placeholder:"DIR"`
	Files  []string `arg:"" help:"DICOM files and folders of them." placeholder:"FILE"`
	ID     string   `help:"File-set ID: at most 16 of A-Z, 0-9 and _." placeholder:"ID"`
	Output string   `short:"o" help:"text or json." enum:"text,json" default:"text"`
}

func (mediaMakeCmd) Help() string {
	return `Copies the objects under names that every reader takes, and writes a DICOMDIR. The objects are not
changed. One that lacks what a directory needs and what cannot be made is left out, with the reason. The
same files in the same order make the same bytes.

Exit code 3: some were left out; they are listed with the reason.

Example:
  collimator media make ./cd ./study`
}

func (c *mediaMakeCmd) Run(e *env) error {
	looking := terminal.NewProgress(e.stderr, "looked at", 0)
	sources, err := disc.Find(e.ctx, c.Files, looking.Tick)
	looking.End()
	if err != nil {
		return err
	}
	defer sources.Close()

	p := terminal.NewProgress(e.stderr, "copied", sources.Len())
	made, err := disc.Make(e.ctx, sources, disc.MakeOptions{Dir: c.Dir, FileSetID: c.ID, Progress: p.Add})
	p.End()
	if made == nil {
		return err
	}
	if shown := terminal.Show(e.stdout, c.Output, made, func(w io.Writer) error { return made.Print(w, c.Dir) }); shown != nil {
		return shown
	}
	if err != nil {
		return err
	}
	return made.Verdict()
}
