package ul

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

// fullRQ has every user information item.
func fullRQ() *AssociateRQ {
	return &AssociateRQ{
		ProtocolVersion: 1, CalledAETitle: "ARCHIVE", CallingAETitle: "MODALITY 1", ApplicationContext: DICOMApplicationContext,
		Contexts: []ProposedContext{
			{ID: 1, AbstractSyntax: "1.2.840.10008.1.1", TransferSyntaxes: []string{"1.2.840.10008.1.2"}},
			{ID: 255, AbstractSyntax: "1.2.840.10008.5.1.4.1.1.2", TransferSyntaxes: []string{"1.2.840.10008.1.2.1", "1.2.840.10008.1.2"}},
		},
		User: UserInformation{
			MaxPDULength: 131072, ImplementationClassUID: "1.2.3.4", ImplementationVersionName: "TEST_1",
			AsyncWindow: &AsyncWindow{Invoked: 0, Performed: 3},
			Roles:       []RoleSelection{{SOPClassUID: "1.2.840.10008.5.1.4.1.1.2", SCU: false, SCP: true}},
			Extended:    []ExtendedNegotiation{{SOPClassUID: "1.2.840.10008.5.1.4.1.2.2.1", Info: []byte{1, 0, 1}}},
			CommonExtended: []CommonExtendedNegotiation{{SOPClassUID: "1.2.3", ServiceClassUID: "1.2.840.10008.4.2",
				RelatedGeneralUIDs: []string{"1.2.840.10008.5.1.4.1.1.88.22", "1.2.4"}}},
			Identity: &UserIdentity{Kind: IdentityUsernamePasscode, PositiveResponseRequested: true,
				Primary: NewSecret([]byte("ZZPHI^USER")), Secondary: NewSecret([]byte("s3cret-word"))},
		},
	}
}

func fullAC() *AssociateAC {
	return &AssociateAC{
		ProtocolVersion: 1, CalledAETitle: "ARCHIVE", CallingAETitle: "MODALITY 1", ApplicationContext: DICOMApplicationContext,
		Contexts: []AcceptedContext{{ID: 1, TransferSyntax: "1.2.840.10008.1.2"}, {ID: 255, Result: TransferSyntaxesNotSupported}},
		User: UserInformation{MaxPDULength: 0, ImplementationClassUID: "1.2.3.5",
			IdentityResponse: &UserIdentityResponse{ServerResponse: NewSecret([]byte("token"))}},
	}
}

func allPDUs() []PDU {
	return []PDU{
		fullRQ(), fullAC(),
		AssociateRJ{Result: RejectedTransient, Source: RejectServiceProviderPresentation, Reason: PresentationLocalLimitExceeded},
		&PDataTF{Values: []PDV{{ContextID: 1, Command: true, Last: true, Data: []byte{1, 2}}, {ContextID: 1, Last: true, Data: []byte{}}}},
		ReleaseRQ{}, ReleaseRP{}, Abort{Source: AbortServiceProvider, Reason: ReasonUnexpectedPDU},
	}
}

func TestPDUsSurviveARoundTrip(t *testing.T) {
	t.Parallel()
	for _, p := range allPDUs() {
		b, err := p.AppendTo([]byte("before"))
		if err != nil {
			t.Fatalf("%s: %v", p.Type(), err)
		}
		got, err := Decode(b[len("before"):], Limits{})
		if err != nil {
			t.Fatalf("%s: %v", p.Type(), err)
		}
		if !reflect.DeepEqual(got, p) {
			t.Errorf("%s: got %+v, want %+v", p.Type(), got, p)
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	t.Parallel()
	for _, p := range allPDUs() {
		b, _ := p.AppendTo(nil)
		for n := range b {
			if _, err := Decode(b[:n], Limits{}); err == nil {
				t.Errorf("%s cut to %d bytes was read", p.Type(), n)
			}
			if n < HeaderLength {
				continue
			}
			cut := bytes.Clone(b[:n]) // with a length that fits, so that the items are what is short
			binary.BigEndian.PutUint32(cut[2:], uint32(n-HeaderLength))
			Decode(cut, Limits{})
		}
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	contexts := func(n int, id func(int) uint8) func(*AssociateRQ) {
		return func(rq *AssociateRQ) {
			rq.Contexts = nil
			for i := range n {
				rq.Contexts = append(rq.Contexts, ProposedContext{ID: id(i), AbstractSyntax: "1.2", TransferSyntaxes: []string{"1.2"}})
			}
		}
	}
	for name, change := range map[string]func(*AssociateRQ){
		"even context id":      contexts(1, func(int) uint8 { return 2 }),
		"context id twice":     contexts(2, func(int) uint8 { return 1 }),
		"no context":           contexts(0, nil),
		"65 transfer syntaxes": func(rq *AssociateRQ) { rq.Contexts[0].TransferSyntaxes = make1000("1.2", 65) },
		"no transfer syntax":   func(rq *AssociateRQ) { rq.Contexts[0].TransferSyntaxes = nil },
		"identity of 64 KiB":   func(rq *AssociateRQ) { rq.User.Identity.Primary = NewSecret(make([]byte, 60000)) },
		"identity of type 6":   func(rq *AssociateRQ) { rq.User.Identity.Kind = 6 },
		"secondary with JWT":   func(rq *AssociateRQ) { rq.User.Identity.Kind = IdentityJWT },
	} {
		rq := fullRQ()
		change(rq)
		b, err := rq.AppendTo(nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var parse *ParseError
		if _, err := Decode(b, Limits{}); !errors.As(err, &parse) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func make1000(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}
	return out
}

func TestMoreThan128ContextsAreRefused(t *testing.T) {
	t.Parallel()
	b, err := fullRQ().AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	item := []byte{0x20, 0, 0, 0}
	content, _ := appendItem([]byte{1, 0, 0, 0}, itemAbstractSyntax, []byte("1.2"))
	content, _ = appendItem(content, itemTransferSyntax, []byte("1.2"))
	binary.BigEndian.PutUint16(item[2:], uint16(len(content)))
	for range 130 {
		b = append(append(b, item...), content...)
	}
	if _, err := Decode(endPDU(b, 0), Limits{}); err == nil {
		t.Error("130 contexts were read")
	}
}

func TestUnknownItemsAreSkipped(t *testing.T) {
	t.Parallel()
	b, _ := fullRQ().AppendTo(nil)
	b = append(b, 0x77, 0, 0, 3, 1, 2, 3)
	got, err := Decode(endPDU(b, 0), Limits{})
	if err != nil || !reflect.DeepEqual(got, PDU(fullRQ())) {
		t.Errorf("%v", err)
	}
}

func TestAETitlesAreChecked(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"ARCHIVE         ": "ARCHIVE", "  A B           ": "A B", "ABCDEFGHIJKLMNOP": "ABCDEFGHIJKLMNOP",
		"                ": "", "": "", "../secret\\VICTIM": "", "A\x00B": "", "A\nB": "", "\xC4E": "", "ABCDEFGHIJKLMNOPQ": "",
	} {
		got, err := ParseAETitle(title)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", title, got, err)
		}
	}
	b, _ := fullRQ().AppendTo(nil)
	copy(b[10+16:], "                ")
	var title *AETitleError
	if _, err := Decode(b, Limits{}); !errors.As(err, &title) || !title.Calling || !errors.Is(err, ErrAETitle) {
		t.Errorf("blank calling AE title: %v", err)
	}
}

func TestHeaderLengthsAreBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind   Type
		length uint32
		ok     bool
	}{
		{TypeAssociateRQ, 1 << 20, true}, {TypeAssociateRQ, 1<<20 + 1, false}, {TypeAssociateRQ, 0xFFFFFFFF, false},
		{TypePDataTF, 16384, true}, {TypePDataTF, 16385, false}, {TypeAbort, 4, true}, {TypeAbort, 0, false},
		{TypeReleaseRQ, 1 << 31, false}, {0x16, 4, false}, {0, 0, false},
	} {
		b := []byte{byte(c.kind), 0, 0, 0, 0, 0}
		binary.BigEndian.PutUint32(b[2:], c.length)
		if _, err := ParseHeader(b, Limits{PDataPDU: 16384}); (err == nil) != c.ok {
			t.Errorf("%s of %d bytes: %v", c.kind, c.length, err)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	rq := fullRQ()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "rq", rq, "identity", rq.User.Identity, "secret", rq.User.Identity.Primary)
	j, err := json.Marshal(rq)
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(j)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		all += fmt.Sprintf(verb, rq) + fmt.Sprintf(verb, rq.User.Identity) + fmt.Sprintf(verb, *rq.User.Identity) + fmt.Sprintf(verb, rq.User.Identity.Primary)
	}
	for _, secret := range []string{"ZZPHI", "s3cret-word", fmt.Sprintf("%x", "s3cret-word")} {
		if strings.Contains(all, secret) {
			t.Errorf("%q printed", secret)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, p := range allPDUs() {
		b, err := p.AppendTo(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b, Limits{})
		if err != nil {
			return
		}
		again, err := p.AppendTo(nil)
		if err != nil {
			t.Fatalf("%s was read but cannot be written: %v", p.Type(), err)
		}
		q, err := Decode(again, Limits{})
		if err != nil {
			t.Fatalf("%s was written but cannot be read: %v", p.Type(), err)
		}
		if rq, ok := p.(*AssociateRQ); ok { // notes about p are not part of it
			rq.Tolerated = q.(*AssociateRQ).Tolerated
		}
		if _, ok := p.(*AssociateAC); !ok && !reflect.DeepEqual(p, q) {
			t.Fatalf("%s changed: %+v, %+v", p.Type(), p, q)
		}
	})
}

func TestPDVHeadersDoNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 64)
	n := testing.AllocsPerRun(100, func() {
		buf = AppendPDVHeader(buf[:0], PDVHeader{ContextID: 3, Last: true, Length: 100})
		if _, err := ParsePDVHeader(buf, 200); err != nil {
			t.Fatal(err)
		}
		if _, err := ParseHeader([]byte{4, 0, 0, 0, 1, 0}, Limits{}); err != nil {
			t.Fatal(err)
		}
		m := NewMachine(false)
		m.state = Sta6
		m.Next(Input{Event: Evt10})
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDecodeAssociateRQ(b *testing.B) {
	p, _ := fullRQ().AppendTo(nil)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(p, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPDataHeader(b *testing.B) {
	buf := make([]byte, 12)
	b.ReportAllocs()
	for b.Loop() {
		PutPDataHeader(buf, PDVHeader{ContextID: 1, Length: 16000})
		if _, err := ParsePDVHeader(buf[6:], 16006); err != nil {
			b.Fatal(err)
		}
	}
}
