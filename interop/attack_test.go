//go:build interop

package interop_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/interop/harness"
)

// attackMemory is the most the server may hold whatever is done to it.
const attackMemory = 300 << 20

// TestEverythingAtOnceTakesNoMoreThanItsShare runs the attacks on the door
// together against one server with the settings it comes with: those of
// strangers, of a device that went bad, of people with a token. Meanwhile another
// device stores and asks, and is served. COLLIMATOR_ATTACK_SECONDS says for how
// long; 'make attack' takes ten minutes.
func TestEverythingAtOnceTakesNoMoreThanItsShare(t *testing.T) {
	t.Cleanup(debug.FreeOSMemory) // tests that look at the memory of programs they start come after this
	a := newAttack(t)
	ctx, cancel := context.WithTimeout(t.Context(), attackTime(t))
	defer cancel()
	var all sync.WaitGroup
	for name, attack := range map[string]func(context.Context) error{
		"silent strangers at the DICOM port": a.silentStrangers, "idle HTTP/2 connections": a.idleHTTP2,
		"identifiers of a device that may only echo": a.identifiers(onlyEcho), "identifiers of a device": a.identifiers(attacker),
		"metadata of empty items": a.stow(metadata("items")), "metadata of empty data sets": a.stow(metadata("data sets")), "metadata of names": a.stow(metadata("names")),
		"documents that inflate": a.documents, "pictures of many scans": a.scans, "searches": a.searches, "slow readers": a.slowReaders, "passwords": a.passwords,
	} {
		all.Go(func() {
			for ctx.Err() == nil {
				err := attack(ctx)
				a.done(name, err)
			}
		})
	}
	seen := a.serveAnother(ctx)
	all.Wait()

	_, peak := a.s.RSS(t)
	t.Logf("peak memory %d MiB; another device:\n%sattacks begun:\n%s", peak>>20, seen, a.counted())
	if peak > attackMemory {
		t.Errorf("the server held %d MiB, the bound is %d MiB", peak>>20, attackMemory>>20)
	}
	if most := seen.longest(); most > 10*time.Second { // a second is what 'make attack' prints against; this is a hang
		t.Errorf("another device waited %v", most)
	}
	a.nothingLost()
}

// attackTime is how long the attacks last.
func attackTime(t *testing.T) time.Duration {
	if text := os.Getenv("COLLIMATOR_ATTACK_SECONDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal("COLLIMATOR_ATTACK_SECONDS:", err)
		}
		return time.Duration(n) * time.Second
	}
	t.Skip("left out: it takes so much memory itself that it runs in a process of its own (tools/test.sh, make attack)")
	return 0
}

// onlyEcho is a device that may do nothing else.
const onlyEcho = "ECHO1"

// attack is a server under attack, and what was stored there meanwhile.
type attack struct {
	*hostile
	token   string
	study   string // that somebody looks at
	picture string
	web     *http.Client

	mu           sync.Mutex
	begun        map[string]int
	answers      map[string]string
	acknowledged map[string]bool
}

func newAttack(t *testing.T) *attack {
	t.Helper()
	a := &attack{hostile: newHostile(t), begun: map[string]int{}, answers: map[string]string{}, acknowledged: map[string]bool{}}
	a.register(onlyEcho)
	a.s.Must("device", "set", onlyEcho, "--data", a.s.Data, "--allow", "echo")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("correct horse battery"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.s.Must("init", "--data", a.s.Data, "--admin", "ada", "--password-file", password)
	out := a.s.Must("token", "create", "--data", a.s.Data, "--user", "ada", "--scope", "write", "--expires", "24h")
	for _, word := range strings.Fields(out) {
		if strings.HasPrefix(word, "clmt_") {
			a.token = word
		}
	}
	a.web = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}

	a.study = uid.New()
	instance := uid.New()
	a.storeScans(t, instance)
	a.picture = "/dicom-web/studies/" + a.study + "/series/" + a.study + ".1/instances/" + instance
	return a
}

// done counts an attack, and keeps what came of the last one.
func (a *attack) done(name string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begun[name]++
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		a.answers[name] = err.Error()
	}
}

func (a *attack) counted() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []string
	for name, n := range a.begun {
		list = append(list, fmt.Sprintf("%s: %d (%s)", name, n, a.answers[name]))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// nothingLost holds what was acknowledged against what is there, and the record
// against the ledger.
func (a *attack) nothingLost() {
	a.Helper()
	there := map[string]bool{}
	for _, study := range strings.Fields(a.s.Must("find", a.s.Peer(), "--as", a.s.Device("READER", harness.All...), "-o", "uids")) {
		there[study] = true
	}
	for study := range a.acknowledged {
		if !there[study] {
			a.Error("an acknowledged image is lost")
		}
	}
	if text, code := harness.Run(a.T, "verify", "--data", a.s.Data); code != 0 {
		a.Errorf("verify: exit code %d: %s", code, text)
	}
	if strings.Contains(a.s.Output(), harness.Marker) {
		a.Error("the server's output holds patient data")
	}
}

// silentStrangers opens connections without a byte from four addresses.
func (a *attack) silentStrangers(ctx context.Context) error {
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for i := range 400 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%4))}, Timeout: time.Second}
		c, err := d.DialContext(ctx, "tcp", a.s.Address)
		if err != nil {
			return err
		}
		open = append(open, c)
	}
	return pause(ctx, time.Second)
}

// idleHTTP2 opens connections that never ask for anything.
func (a *attack) idleHTTP2(ctx context.Context) error {
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for i := range 100 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, 0, byte(1+i%3))}, Timeout: time.Second}
		c, err := tls.DialWithDialer(&d, "tcp", a.s.HTTP, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err != nil {
			return err
		}
		open = append(open, c)
		if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
			return err
		}
	}
	return pause(ctx, 2*time.Second)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return nil
}

// identifiers asks with 60,000 items, on eight associations at once.
func (a *attack) identifiers(title string) func(context.Context) error {
	keys := dicom.NewDataSet()
	_ = keys.SetText(tag.QueryRetrieveLevel, "STUDY")
	items := make([]*dicom.DataSet, 60_000)
	for i := range items {
		items[i] = keys.NewItem()
	}
	keys.SetItems(tag.RequestAttributesSequence, items...)
	return func(ctx context.Context) error {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				to, err := dimse.Dial(ctx, a.s.Address, dimse.Config{TLSConfig: a.keys[title], CallingAETitle: title, CalledAETitle: harness.AETitle,
					Contexts: dimse.Propose([]string{uid.StudyRootFind}, []string{uid.ImplicitVRLittleEndian}, false)})
				if err != nil {
					return
				}
				defer to.Abort()
				for range to.Find(ctx, dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: keys}) {
				}
			})
		}
		all.Wait()
		return pause(ctx, 500*time.Millisecond)
	}
}

// metadata is a body of STOW-RS of 16 MiB.
func metadata(kind string) []byte {
	const n = 16 << 20 / 3
	head := `"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.7"]},"00080018":{"vr":"UI","Value":["1.2.3.4"]}`
	doc := map[string]string{
		"items":     `[{` + head + `,"00081115":{"vr":"SQ","Value":[` + strings.Repeat("{},", n) + `{}]}}]`,
		"names":     `[{` + head + `,"00100010":{"vr":"PN","Value":[` + strings.Repeat("{},", n) + `{}]}}]`,
		"data sets": `[` + strings.Repeat("{},", n) + `{}]`,
	}[kind]
	return []byte("--XX\r\nContent-Type: application/dicom+json\r\n\r\n" + doc + "\r\n--XX--\r\n")
}

// stow sends a body, and gives up after three seconds now and then.
func (a *attack) stow(body []byte) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		rq, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+a.s.HTTP+"/dicom-web/studies", bytes.NewReader(body))
		if err != nil {
			return err
		}
		rq.Header.Set("Content-Type", `multipart/related; type="application/dicom+json"; boundary=XX`)
		return a.ask200(rq)
	}
}

// ask200 sends a request with the token and reads the answer.
func (a *attack) ask200(rq *http.Request) error {
	rq.Header.Set("Authorization", "Bearer "+a.token)
	rsp, err := a.web.Do(rq)
	if err != nil {
		return err
	}
	defer rsp.Body.Close()
	if _, err := io.Copy(io.Discard, rsp.Body); err != nil {
		return err
	}
	if rsp.StatusCode >= 300 {
		return fmt.Errorf("status %d", rsp.StatusCode)
	}
	return nil
}

// documents stores eight documents at once that become 63 MiB.
func (a *attack) documents(ctx context.Context) error {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	w.Write(make([]byte, 63<<20))
	w.Close()
	pdf := append(append([]byte("%PDF-1.4\n1 0 obj<</Filter/FlateDecode>>stream\n"), z.Bytes()...), "\nendstream endobj\n"...)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			ds := harness.Instance{Study: uid.New(), Set: map[dicom.Tag]string{tag.SOPClassUID: uid.EncapsulatedPDFStorage}}.DataSet(a.T)
			ds.Delete(tag.PixelData)
			ds.Set(dicom.NewText(tag.MIMETypeOfEncapsulatedDocument, dicom.LO, "application/pdf"))
			ds.Set(dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, pdf))
			a.storeAs(ctx, attacker, ds, uid.ExplicitVRLittleEndian)
		})
	}
	all.Wait()
	return pause(ctx, time.Second)
}

// storeAs stores a data set as a device; what comes of it does not matter.
func (a *attack) storeAs(ctx context.Context, title string, ds *dicom.DataSet, ts string) error {
	class, instance := ds.Text(tag.SOPClassUID), ds.Text(tag.SOPInstanceUID)
	to, err := dimse.Dial(ctx, a.s.Address, dimse.Config{TLSConfig: a.keys[title], CallingAETitle: title, CalledAETitle: harness.AETitle,
		Contexts: dimse.Propose([]string{class}, []string{ts}, false)})
	if err != nil {
		return err
	}
	defer to.Abort()
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, ts); err != nil {
		return err
	}
	_, err = to.Store(ctx, dimse.StoreRequest{SOPClassUID: class, SOPInstanceUID: instance, TransferSyntax: ts, Data: &b})
	return err
}

// storeScans stores the picture of many scans that scans looks at.
func (a *attack) storeScans(t *testing.T, instance string) {
	t.Helper()
	const side = 4096
	ds := harness.Instance{Study: a.study, Series: a.study + ".1", UID: instance}.DataSet(t)
	for k, v := range map[dicom.Tag]int64{tag.Rows: side, tag.Columns: side, tag.BitsAllocated: 8, tag.BitsStored: 8, tag.HighBit: 7, tag.SamplesPerPixel: 1, tag.PixelRepresentation: 0} {
		if err := ds.SetInt(k, v); err != nil {
			t.Fatal(err)
		}
	}
	ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, nil, progressive(side, 400)))
	if err := a.storeAs(t.Context(), attacker, ds, uid.JPEGBaseline8Bit); err != nil {
		t.Fatal(err)
	}
}

// scans looks at the picture of many scans and goes away.
func (a *attack) scans(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	rq, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+a.s.HTTP+a.picture+"/rendered", nil)
	if err != nil {
		return err
	}
	rq.Header.Set("Accept", "image/jpeg")
	return a.ask200(rq)
}

// searches asks a hundred times in a row.
func (a *attack) searches(ctx context.Context) error {
	for range 100 {
		rq, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+a.s.HTTP+"/dicom-web/studies?limit=10", nil)
		if err != nil {
			return err
		}
		if err := a.ask200(rq); err != nil {
			return err
		}
	}
	return nil
}

// slowReaders hold twenty answers open.
func (a *attack) slowReaders(ctx context.Context) error {
	for range 20 {
		rq, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+a.s.HTTP+"/dicom-web/studies/"+a.study, nil)
		if err != nil {
			return err
		}
		rq.Header.Set("Authorization", "Bearer "+a.token)
		rsp, err := a.web.Do(rq)
		if err != nil {
			return err
		}
		defer rsp.Body.Close()
	}
	return pause(ctx, 5*time.Second)
}

// passwords tries wrong ones from many addresses.
func (a *attack) passwords(ctx context.Context) error {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 2, 0, byte(1+i))}}
			client := &http.Client{Transport: &http.Transport{DialContext: d.DialContext, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
			rq, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+a.s.HTTP+"/api/v1/session", strings.NewReader(`{"name":"ada","password":"wrong"}`))
			if err != nil {
				return
			}
			rq.Header.Set("Content-Type", "application/json")
			if rsp, err := client.Do(rq); err == nil {
				rsp.Body.Close()
			}
		})
	}
	all.Wait()
	return pause(ctx, time.Second)
}
