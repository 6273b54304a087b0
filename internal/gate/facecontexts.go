package gate

import (
	"slices"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/upstream"
)

// contextsMost is how many presentation contexts an association has (PS3.8 9.3.2.2).
const contextsMost = 128

// classGroups are the SOP Classes to propose for instances, as many together as one association
// has contexts for: those that are known, or all there are, where the system behind did not say.
func classGroups(instances map[string]string) (groups [][]string) {
	var classes []string
	unknown := false
	for _, class := range instances {
		if class == "" {
			unknown = true
		} else if uid.Storable(class) && !slices.Contains(classes, class) {
			classes = append(classes, class)
		}
	}
	slices.Sort(classes)
	if len(classes) > 0 {
		groups = slices.Collect(slices.Chunk(classes, contextsMost-1))
	}
	if unknown {
		groups = append(groups, slices.Collect(slices.Chunk(commonFirst(), contextsMost-1))...)
	}
	return groups
}

// common are the classes of most of what there is.
var common = [...]string{
	uid.CTImageStorage, uid.MRImageStorage, uid.ComputedRadiographyImageStorage, uid.DigitalXRayImageStorageForPresentation,
	uid.UltrasoundImageStorage, uid.UltrasoundMultiFrameImageStorage, uid.SecondaryCaptureImageStorage,
}

// commonFirst is every storage class.
func commonFirst() []string {
	all := slices.Clone(common[:])
	for _, class := range uid.StorageClasses() {
		if !slices.Contains(all, class) {
			all = append(all, class)
		}
	}
	return all
}

// askToFetch is what an association needs for a C-GET of classes: a context for each transfer
// syntax, so that each instance may come as it is stored; one for each class where that is too many.
func askToFetch(classes []string) upstream.Ask {
	return askToGet(classes, uid.StorageSyntaxes(), len(classes)*len(uid.StorageSyntaxes()) < contextsMost)
}

// askToGet is what an association needs for a C-GET of classes in transfer syntaxes, each of which
// has a context of its own where that is wanted.
func askToGet(classes, syntaxes []string, separate bool) upstream.Ask {
	ask := upstream.Ask{Contexts: dimse.Propose([]string{uid.StudyRootGet}, uid.NativeSyntaxes()[:2], false)}
	ask.Contexts = append(ask.Contexts, dimse.Propose(classes, syntaxes, separate)...)
	for i := range ask.Contexts {
		ask.Contexts[i].ID = uint8(2*i + 1)
	}
	for _, class := range classes {
		ask.Roles = append(ask.Roles, ul.RoleSelection{SOPClassUID: class, SCP: true})
	}
	return ask
}

// negotiateOwn answers the contexts of the system behind that calls the gate itself, to deliver
// what people asked for: objects, in any transfer syntax that can be read.
func (g *Gate) negotiateOwn(rq *dimse.AssociateRequest) dimse.Acceptance {
	acc := dimse.Negotiate(rq, dimse.AcceptStorage())
	acc.Mux = g.Mux
	return acc
}
