package main

import (
	"strings"

	"collimator/internal/house"
	"collimator/internal/phrase"
)

type sampleCmd struct {
	Out    string `help:"Directory for the files; it is made." default:"./sample" placeholder:"DIR"`
	Kind   string `help:"What to make: ct, mr, us, dx, sr, pdf, seg or ecg." enum:"ct,mr,us,dx,sr,pdf,seg,ecg" default:"ct"`
	Images int    `help:"Images of the study." default:"4" bounds:"1 to 10000"`
	Seed   uint64 `help:"Another number makes another study; the same number the same files." default:"1"`
}

func (sampleCmd) Help() string {
	return `The study is drawn by a program, of a patient called TEST^SAMPLE. Nothing in it comes from a
person. Files that are there already are not overwritten.

Example:
  collimator sample --out ./sample`
}

func (c *sampleCmd) Run(e *env) error {
	n, err := house.Sample(c.Out, c.Kind, c.Images, c.Seed)
	if err != nil {
		return err
	}
	return e.say("Wrote %s of a %s study of TEST^SAMPLE to %s.\n", phrase.Count(n, "file", "files"), strings.ToUpper(c.Kind), c.Out)
}
