package archive

import "testing"

// A file can be stored and held back at once: only what is neither any more may
// be removed.
func TestOnlyWhatIsNeitherStoredNorHeldIsGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events []Statement
		want   EventKind
	}{
		"unknown": {nil, ""},
		"stored":  {[]Statement{{Event: Stored}}, Stored},
		"deleted": {[]Statement{{Event: Stored}, {Event: Deleted}}, Deleted},
		"held, then stored after the other was deleted, then the entry destroyed": {[]Statement{
			{Event: Quarantined, Reason: DifferentContent}, {Event: Stored}, {Event: Destroyed, Reason: DifferentContent}}, Stored},
		"gave way":               {[]Statement{{Event: Stored}, {Event: Quarantined, Reason: Replaced}}, Quarantined},
		"gave way and destroyed": {[]Statement{{Event: Stored}, {Event: Quarantined, Reason: Replaced}, {Event: Destroyed, Reason: Replaced}}, Destroyed},
		"held for two reasons, one decided": {[]Statement{
			{Event: Quarantined, Reason: Suspicious}, {Event: Quarantined, Reason: OtherPatient}, {Event: Destroyed, Reason: Suspicious}}, Quarantined},
		"released":              {[]Statement{{Event: Quarantined, Reason: Suspicious}, {Event: Stored, Accepted: true}, {Event: Released, Reason: Suspicious}}, Stored},
		"looked at and removed": {[]Statement{{Event: Stored}, {Event: Destroyed, Reason: Unneeded}}, Destroyed},
		"refused":               {[]Statement{{Event: Refused, Reason: DifferentContent}}, Refused},
	} {
		var course Course
		for _, s := range c.events {
			course.Add(s)
		}
		if got := course.End(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
