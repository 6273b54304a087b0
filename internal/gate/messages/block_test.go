package messages

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"

	"collimator/internal/gate/kind"
)

// certificate is one for localhost, with who vouches for it.
func certificate(t *testing.T) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, roots
}

func TestABlockThatCannotBeNamesItsField(t *testing.T) {
	t.Parallel()
	good := func() Block {
		return Block{Listen: "10.0.0.1:2575", To: "10.0.0.7:2575", Rules: []Rule{{Name: "adt", Who: []string{"SIS1"}, Types: []string{"ADT^A01", "ORM"}}}}
	}
	for want, change := range map[string]func(b *Block){
		"listen: ":                    func(b *Block) { b.Listen = "gate:2575" },
		"listen: \"10.0.0.1:0\"":      func(b *Block) { b.Listen = "10.0.0.1:0" },
		"to: ":                        func(b *Block) { b.To = "10.0.0.7" },
		"to: \"10.0.0.7:hl7\"":        func(b *Block) { b.To = "10.0.0.7:hl7" },
		"fingerprint: ca and":         func(b *Block) { b.CA, b.Fingerprint = "x", "y" },
		"fingerprint: want":           func(b *Block) { b.Fingerprint = "sha256:12" },
		"wait: ":                      func(b *Block) { b.Wait = 2 * waitMost },
		"rules: there is none":        func(b *Block) { b.Rules = nil },
		"(adt): who: nobody shows":    func(b *Block) { b.Plain = true },
		"(adt): who: with TLS":        func(b *Block) { b.Rules[0].Who, b.Rules[0].From = nil, []string{"10.0.0.9"} },
		"(adt): who: say who":         func(b *Block) { b.Rules[0].Who = nil },
		"(adt): from: ":               func(b *Block) { b.Rules[0].From = []string{"10.0.0.9/8"} },
		"(adt): types: there is none": func(b *Block) { b.Rules[0].Types = nil },
		"(adt): types: \"adt\"":       func(b *Block) { b.Rules[0].Types = []string{"adt"} },
		"(adt): types: \"ADT^\"":      func(b *Block) { b.Rules[0].Types = []string{"ADT^"} },
		"(adt): most_kib":             func(b *Block) { b.Rules[0].MostKiB = -1 },
		"(adt): hours":                func(b *Block) { b.Rules[0].Hours = "early" },
		"rule 1 (): name":             func(b *Block) { b.Rules[0].Name = "" },
		"listen: without TLS": func(b *Block) {
			b.Plain, b.Listen = true, "203.0.113.9:2575"
			b.Rules[0].Who, b.Rules[0].From = nil, []string{"10.0.0.9"}
		},
	} {
		b := good()
		if err := b.Check(); err != nil {
			t.Fatal(err)
		}
		change(&b)
		if err := b.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestABlockIsSaidInSentences(t *testing.T) {
	t.Parallel()
	b := Block{Listen: "10.0.0.1:2575", Plain: true, To: "10.0.0.7:2575", Rules: []Rule{
		{Name: "adt", From: []string{"10.0.0.9", "10.1.0.0/16"}, Types: []string{"ADT"}, MostKiB: 64, Hours: "06:00-20:00"}}}
	var e kind.Explanation
	b.Explain(&e)
	text := strings.Join(e.Lines(), "\n")
	for _, want := range []string{"come to 10.0.0.1:2575 without TLS go on to 10.0.0.7:2575, without TLS; its answer comes back, for which it has 30s.",
		`Rule "adt": whoever comes from 10.0.0.9 and 10.1.0.0/16 may send ADT of up to 64 KiB, at 06:00-20:00.`, "unsafe: senders come without TLS", "note: between"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %s", want, text)
		}
	}
	if b.Granted() != "10.0.0.9,10.1.0.0/16: ADT" || b.Takes() == "" || len(b.Steps(kind.Place{From: "10.0.0.1"})) != 2 {
		t.Errorf("%q", b.Granted())
	}
}
