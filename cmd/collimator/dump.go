package main

import "collimator/internal/dump"

type dumpCmd struct {
	Files  []string `arg:"" help:"DICOM files; - for standard input." placeholder:"FILE"`
	Reveal bool     `help:"Print the values that say something about a patient or a person."`
	Width  int      `help:"Most characters of a value." default:"64" bounds:"1 to 1000000"`
	Output string   `short:"o" help:"text, or json (DICOM JSON model; needs --reveal)." enum:"text,json" default:"text"`
}

func (dumpCmd) Help() string {
	return "Values of patients are withheld: use --reveal where you may see them.\n" +
		"As JSON several files are one array; compressed pixel data are named by their file.\n\nExample:\n  collimator dump image.dcm"
}

func (c *dumpCmd) Run(e *env) error {
	return dump.Files(e.stdout, c.Files, e.stdin, dump.Options{Reveal: c.Reveal, Width: c.Width, JSON: c.Output == "json"})
}
