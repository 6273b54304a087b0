package console

import (
	"math"
	"slices"
	"strconv"

	"collimator/dicom"
	"collimator/dicom/tag"
)

// putUnder finds for each frame of a segmentation the frame on which it was drawn, where that is in the study and of
// the same matrix: by what it says of where it comes from (PS3.3 C.7.6.16.2.6), else by its plane (PS3.3 C.7.6.16.2.3).
func (s *showing) putUnder(p *place, v *study, x instance, ds *dicom.DataSet) {
	groups := ds.Items(tag.PerFrameFunctionalGroupsSequence)
	shared := dicom.NewDataSet()
	if list := ds.Items(tag.SharedFunctionalGroupsSequence); len(list) > 0 {
		shared = list[0]
	}

	sources := s.sources(v, x, ds)
	p.under = make([]string, min(len(groups), framesMost))
	for i := range p.under {
		p.under[i] = sources.named(groups[i], shared)
		if p.under[i] == "" {
			p.under[i] = sources.inPlane(groups[i], shared)
		}
	}
}

// underneath is what a frame lies on; empty for nothing.
func (s *showing) underneath(p *place, frame int) string {
	if frame < 1 || frame > len(p.under) || p.under[frame-1] == "" {
		return ""
	}
	return s.base + p.under[frame-1]
}

// sources are the images of a study on which a segmentation may have been drawn.
type sources struct {
	images map[string]instance
	planes []plane
}

// plane is where an image of one frame lies.
type plane struct {
	position, orientation []float64
	path                  string
}

// sources looks for the images that a segmentation names, and for where the images of the series lie that it names.
func (s *showing) sources(v *study, x instance, ds *dicom.DataSet) *sources {
	out := &sources{images: map[string]instance{}}
	var referenced []string
	for _, r := range ds.Items(tag.ReferencedSeriesSequence) {
		referenced = append(referenced, r.Text(tag.SeriesInstanceUID))
	}

	for _, e := range v.Series {
		list, err := s.instances(e.path)
		if err != nil {
			return out // it is shown alone
		}
		for _, i := range list {
			if i.kind() == aPicture && i.rows == x.rows && i.columns == x.columns && i.decodes() {
				out.images[i.uid] = i
			}
		}
		if slices.Contains(referenced, e.uid) {
			out.lie(s, e.path)
		}
	}
	return out
}

// lie reads where the images of a series lie.
func (o *sources) lie(s *showing, path string) {
	for ds := range s.dataSets(path) {
		if i, ok := o.images[ds.Text(tag.SOPInstanceUID)]; ok && i.frames == 1 {
			o.planes = append(o.planes, plane{ds.Floats(tag.ImagePositionPatient), ds.Floats(tag.ImageOrientationPatient), i.path})
		}
	}
}

// named is the picture that a frame says it comes from.
func (o *sources) named(group, shared *dicom.DataSet) string {
	for _, g := range []*dicom.DataSet{group, shared} {
		for _, d := range g.Items(tag.DerivationImageSequence) {
			for _, source := range d.Items(tag.SourceImageSequence) {
				i, ok := o.images[source.Text(tag.ReferencedSOPInstanceUID)]
				if !ok {
					continue
				}
				frame := int64(1)
				if list := source.Ints(tag.ReferencedFrameNumber); len(list) == 1 && list[0] >= 1 && list[0] <= int64(i.frames) {
					frame = list[0]
				}
				if i.frames == 1 || len(source.Ints(tag.ReferencedFrameNumber)) == 1 {
					return rendered(i.path, int(frame))
				}
			}
		}
	}
	return ""
}

// inPlane is the picture that lies where a frame lies.
func (o *sources) inPlane(group, shared *dicom.DataSet) string {
	position := within(tag.PlanePositionSequence, tag.ImagePositionPatient, group, shared)
	orientation := within(tag.PlaneOrientationSequence, tag.ImageOrientationPatient, group, shared)
	for _, p := range o.planes {
		if near(p.position, position, 0.1) && near(p.orientation, orientation, 0.001) {
			return rendered(p.path, 1)
		}
	}
	return ""
}

// within is numbers of a functional group of a frame, or of all.
func within(sequence, t dicom.Tag, groups ...*dicom.DataSet) []float64 {
	for _, g := range groups {
		for _, it := range g.Items(sequence) {
			return it.Floats(t)
		}
	}
	return nil
}

// near reports lists of numbers that differ by no more than so much.
func near(a, b []float64, most float64) bool {
	return len(a) > 0 && slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= most })
}

// rendered is where the picture of a frame is.
func rendered(path string, frame int) string {
	return path + "/frames/" + strconv.Itoa(frame) + "/rendered"
}
