package sender

import (
	"collimator/dicom/pixel"
	"collimator/dicom/uid"
	"collimator/dimse/ul"
)

// MaxContexts is the most presentation contexts of an association (PS3.8 9.3.2.2).
const MaxContexts = 128

// NativeSyntaxes are the transfer syntaxes that are offered for what can be converted.
func NativeSyntaxes() []string {
	return []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}
}

// kinds lists the presentation contexts a file needs: its own transfer syntax
// alone, so that the peer cannot choose another, and the native ones where it
// can be converted.
func (f *File) kinds() []ul.ProposedContext {
	list := []ul.ProposedContext{{AbstractSyntax: f.SOPClassUID, TransferSyntaxes: []string{f.TransferSyntax}}}
	if pixel.Convertible(f.TransferSyntax) {
		list = append(list, ul.ProposedContext{AbstractSyntax: f.SOPClassUID, TransferSyntaxes: NativeSyntaxes()})
	}
	return list
}

// proposals are the presentation contexts for a batch: those that a file needs, once
// for each SOP Class and transfer syntax.
func proposals(files []*File) []ul.ProposedContext {
	var list []ul.ProposedContext
	seen := map[string]bool{}
	for _, f := range files {
		key := f.SOPClassUID + " " + f.TransferSyntax
		if !seen[key] {
			seen[key] = true
			list = append(list, f.kinds()...)
		}
	}
	return list
}

// batches parts the files so that the contexts of each fit into an association
// and n associations have work.
func batches(files []*File, n int) [][]*File {
	most := max((len(files)+n-1)/max(n, 1), 1)

	var out [][]*File
	var current []*File
	kinds := 0
	seen := map[string]bool{}
	for _, f := range files {
		key := f.SOPClassUID + " " + f.TransferSyntax
		more := 0
		if !seen[key] {
			more = len(f.kinds())
		}

		if len(current) == most || kinds+more > MaxContexts {
			out = append(out, current)
			current = nil
			kinds = 0
			seen = map[string]bool{}
			more = len(f.kinds())
		}

		current = append(current, f)
		kinds += more
		seen[key] = true
	}

	if len(current) > 0 {
		out = append(out, current)
	}
	return out
}
