package guard

import (
	"testing"

	"collimator/dicom/uid"
	"collimator/dimse"
)

func TestWhenADeviceWasLastLetInIsKnown(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	service := Offer(dimse.Support{
		TransferSyntaxes: func(string) []string { return []string{uid.ImplicitVRLittleEndian} },
		Roles:            func(string) (bool, bool) { return true, true },
	})
	rq := request("CT1", d.device("CT1", nil))
	if at := d.LastAdmitted("CT1"); !at.IsZero() {
		t.Errorf("before it came: %v", at)
	}
	if _, err := d.Admit(d.Context(), rq, service); err != nil {
		t.Fatal(err)
	}
	if at := d.LastAdmitted("CT1"); !at.Equal(d.clock.Now()) {
		t.Errorf("it came at %v", at)
	}
	if _, err := d.Admit(d.Context(), request("STRANGER", nil), service); err == nil || !d.LastAdmitted("STRANGER").IsZero() {
		t.Errorf("a stranger was let in: %v", err)
	}
}
