package dicom_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/uid"
)

// till is an Account with a bound.
type till struct{ taken, most int64 }

var errTill = errors.New("no more")

func (t *till) Grow(n int64) error {
	if t.most > 0 && t.taken+n > t.most {
		return errTill
	}
	t.taken += n
	return nil
}

// TestAccountIsToldWhatADataSetTakes holds what is charged against the heap.
func TestAccountIsToldWhatADataSetTakes(t *testing.T) {
	for _, c := range []struct {
		name string
		read func(dicom.Account) (*dicom.DataSet, error)
	}{
		{"elements without value", native(elements(100_000, 0))},
		{"short values", native(elements(60_000, 8))},
		{"empty items", native(sequence(bytes.Repeat(item(nil), 100_000)))},
		{"items of one element", native(sequence(bytes.Repeat(item(element(0x00080100, "ZZPHI ")), 60_000)))},
		{"sequences in items", native(sequence(bytes.Repeat(item(sequence(item(nil))), 30_000)))},
		{"long values", native(append(element(0x00080100, strings.Repeat("Z", 3<<20)), element(0x00080102, strings.Repeat("Y", 2<<20))...))},
		{"items in JSON", inJSON(`{"00081115":{"vr":"SQ","Value":[` + repeated(`{"00080100":{"vr":"SH","Value":["ZZPHI"]}}`, 30_000) + `]}}`)},
		{"empty items in JSON", inJSON(`{"00081115":{"vr":"SQ","Value":[` + repeated(`{}`, 100_000) + `]}}`)},
		{"names in JSON", inJSON(`{"00100010":{"vr":"PN","Value":[` + repeated(`{"Alphabetic":"Z"}`, 60_000) + `]}}`)},
		{"numbers in JSON", inJSON(`{"00189087":{"vr":"FD","Value":[` + repeated(`1.5`, 100_000) + `]}}`)},
		{"a long string in JSON", inJSON(`{"00420011":{"vr":"OB","InlineBinary":"` + strings.Repeat("QUJD", 1<<20) + `"}}`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			account := &till{}
			before := heap()
			ds, err := c.read(account)
			if err != nil {
				t.Fatal(err)
			}
			held := heap() - before
			runtime.KeepAlive(ds)

			if account.taken < held*9/10 {
				t.Errorf("%d bytes were taken, and the heap grew by %d", account.taken, held)
			}
			t.Logf("%d bytes taken, %d held", account.taken, held)

			if _, err := c.read(&till{most: account.taken / 2}); !errors.Is(err, errTill) {
				t.Errorf("with half of it: %v", err)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func native(b []byte) func(dicom.Account) (*dicom.DataSet, error) {
	return func(a dicom.Account) (*dicom.DataSet, error) {
		return dicom.Decode(bytes.NewReader(b), dicom.DecodeOptions{TransferSyntax: uid.ImplicitVRLittleEndian, Account: a})
	}
}

func inJSON(text string) func(dicom.Account) (*dicom.DataSet, error) {
	return func(a dicom.Account) (*dicom.DataSet, error) {
		return dicom.UnmarshalJSON([]byte(text), dicom.JSONOptions{Account: a})
	}
}

func repeated(s string, n int) string { return strings.Repeat(s+",", n-1) + s }

// elements is n elements of a private group, each with a value of so many bytes.
func elements(n, length int) []byte {
	var b []byte
	for i := range n {
		b = append(b, element(uint32(0x00110000+i%0x10000+i/0x10000*0x20000), strings.Repeat("Z", length))...)
	}
	return b
}

// element is one element in implicit VR little endian.
func element(tag uint32, value string) []byte {
	b := binary.LittleEndian.AppendUint16(nil, uint16(tag>>16))
	b = binary.LittleEndian.AppendUint16(b, uint16(tag))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
	return append(b, value...)
}

func item(content []byte) []byte { return element(0xFFFEE000, string(content)) }

func sequence(items []byte) []byte { return element(0x00081115, string(items)) }
