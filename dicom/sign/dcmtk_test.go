package sign

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"collimator/dicom"
	"collimator/dicom/dcmtktest"
	"collimator/dicom/uid"
	"collimator/internal/synth"
)

// samples are objects of several kinds in several transfer syntaxes.
func samples() map[string]*dicom.File {
	files := map[string]*dicom.File{}
	for _, ts := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.RLELossless} {
		files["ct "+uid.Name(ts)] = image(ts)
	}
	files["sr"] = synth.First(synth.SR, synth.Options{})
	files["us jpeg"] = synth.First(synth.US, synth.Options{TransferSyntax: uid.JPEGBaseline8Bit})
	files["ecg"] = synth.First(synth.ECG, synth.Options{})
	files["seg"] = synth.First(synth.SEG, synth.Options{Rows: 64, Columns: 64})

	return files
}

func TestDcmsignVerifiesOurSignatures(t *testing.T) {
	t.Parallel()
	dcmtktest.Find(t, "dcmsign")
	id := newIdentity(t)
	_, certificate := id.files(t)
	for name, f := range samples() {
		path := filepath.Join(t.TempDir(), "signed.dcm")
		write(t, path, synth.Bytes(signed(t, id, f)))
		out, err := dcmtktest.Run(t, "dcmsign", "--verify", "+rg", "+cf", certificate, path)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}

		// What dcmsign accepts has to be what was signed and nothing else.
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.Index(b, []byte("ZZPHI^")); i > 0 {
			b[i+6] ^= 1
			write(t, path, b)
			if out, err := dcmtktest.Run(t, "dcmsign", "--verify", "+rg", "+cf", certificate, path); err == nil {
				t.Errorf("%s: altered and accepted\n%s", name, out)
			}
		}
	}
}

func TestSignaturesOfDcmsignAreVerified(t *testing.T) {
	t.Parallel()
	dcmtktest.Find(t, "dcmsign")
	id := newIdentity(t)
	key, certificate := id.files(t)
	for name, f := range samples() {
		for mac, want := range map[string]State{"+m2": Valid, "+m3": Valid, "+m5": Valid, "+mr": Weak, "+ms": Weak, "+mm": Weak} {
			dir := t.TempDir()
			in := filepath.Join(dir, "in.dcm")
			out := filepath.Join(dir, "out.dcm")
			write(t, in, synth.Bytes(f))
			if text, err := dcmtktest.Run(t, "dcmsign", "+s", key, certificate, mac, "+sp", "5", in, out); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, text)
			}
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if r := one(t, read(t, b).DataSet, id.trusted()); r.State != want || r.Purpose != Verification {
				t.Errorf("%s %s: %v %s %v", name, mac, r.State, r.Reason, r.Purpose)
			}
		}
	}
}
