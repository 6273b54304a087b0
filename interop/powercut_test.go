//go:build interop

package interop_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// cut says what a round does and what the power cut leaves.
type cut struct {
	mode  string // of the volume: strict or ext4
	keep  string // none or random
	torn  int    // writes break at multiples of so many bytes; 0: they do not
	first bool   // the power goes while the data directory is made and after
	fault string // of the disk, in the words of tools/powercut
	long  bool   // until there were checkpoints, beside readers
	seed  uint64
}

func (c cut) String() string {
	phase := "steady"
	if c.first {
		phase = "first"
	}
	return fmt.Sprintf("%s,%s,torn=%d,%s,%s,seed=%d", c.mode, c.keep, c.torn, phase, c.fault, c.seed)
}

// cuts are the rounds: eight, or as many as COLLIMATOR_POWERCUT_ROUNDS says, then
// with disks that misbehave as well.
func cuts() (list []cut, many bool) {
	for seed := range uint64(8) {
		c := cut{mode: []string{"strict", "ext4"}[seed%2], keep: "none", first: seed >= 4, seed: seed + 1}
		if seed/2%2 == 1 {
			c.keep, c.torn = "random", 512
		}
		list = append(list, c)
	}
	n, err := strconv.Atoi(os.Getenv("COLLIMATOR_POWERCUT_ROUNDS"))
	if err != nil || n <= len(list) {
		return list, false
	}
	faults := []string{"", "eio:3:2:[0-9]*", "eiodir:2:1", "enospc:30:3", "short:20:5:[0-9]*", "eio:1:1:index.db", ""}
	for seed := uint64(9); len(list) < n; seed++ {
		c := list[seed%8]
		c.seed, c.fault = seed, faults[seed%uint64(len(faults))]
		c.long = strings.HasSuffix(c.fault, "index.db")
		if c.fault != "" {
			c.first = false
		}
		list = append(list, c)
	}
	return list, true
}

func TestPowerCutLosesNothingAcknowledged(t *testing.T) {
	site := newCutSite(t)
	list, _ := cuts()
	for _, c := range list {
		t.Run(c.String(), func(t *testing.T) {
			r := site.round(t, c)
			for _, p := range r.problems {
				t.Error(p)
			}
			t.Logf("%d images and %d changes acknowledged, cut by itself: %v", len(r.images), len(r.changes), r.armed)
			if t.Failed() {
				t.Logf("the server after the cut:\n%s", r.after)
			}
		})
	}
}

// TestPowerCutWithoutFsyncIsFound shows that the rounds can fail.
func TestPowerCutWithoutFsyncIsFound(t *testing.T) {
	r := newCutSite(t).round(t, cut{mode: "strict", keep: "none", seed: 99}, "-nosync")
	if len(r.images) == 0 {
		t.Fatal("nothing was acknowledged: the round shows nothing")
	}
	if len(r.problems) == 0 {
		t.Fatalf("fsync did nothing and %d acknowledged images are there: the rounds cannot fail", len(r.images))
	}
	t.Logf("found: %.200s", r.problems[0])
}

// changesOfEach is how many devices, tokens and studies a site can take away.
const changesOfEach = 5

// cutSite is a data directory that each round begins with, and what belongs to it.
type cutSite struct {
	data    string
	keys    string            // of the workstation that sends
	devices map[string]string // to be removed: their keys
	tokens  map[string]string // to be revoked: by id, the token
	studies []string          // to be deleted
}

func newCutSite(t *testing.T) *cutSite {
	t.Helper()
	harness.MountVolume(t, t.TempDir()).End() // leaves the test out where that is not possible
	s := harness.Start(t)
	site := &cutSite{data: s.Data, keys: s.Device("WS1", harness.All...), devices: map[string]string{}, tokens: map[string]string{}}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("correct horse battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Must("user", "add", "alice", "--role", "administrator", "--password-file", password, "--data", s.Data)
	for i := range changesOfEach {
		name := fmt.Sprintf("DEL%d", i)
		site.devices[name] = s.Device(name, harness.All...)
		words := strings.Fields(s.Must("token", "create", "--user", "alice", "--data", s.Data))
		site.tokens[newToken(t, s, site.tokens)] = words[len(words)-1]
		study, dir := uid.New(), t.TempDir()
		harness.Instance{Study: study, Fill: byte(i)}.Write(t, dir)
		s.Must("send", s.Peer(), dir, "--as", site.keys)
		site.studies = append(site.studies, study)
	}
	s.Stop()
	return site
}

// newToken is the id of the token that is not known yet.
func newToken(t *testing.T, s *harness.Server, known map[string]string) string {
	t.Helper()
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(s.Must("token", "list", "--data", s.Data, "-o", "json")), &list); err != nil {
		t.Fatal(err)
	}
	for _, token := range list {
		if _, ok := known[token.ID]; !ok {
			return token.ID
		}
	}
	t.Fatal("the new token is not in the list")
	return ""
}

// cutRound is one power cut and what was acknowledged before it.
type cutRound struct {
	site   *cutSite
	volume *harness.Volume
	server *harness.Server
	keys   string
	ctx    context.Context // ends at the cut: every program of the machine is killed

	mu       sync.Mutex
	images   []string    // files
	changes  [][2]string // what, and to whom
	armed    bool
	problems []string
	after    string // output of the server after the cut
}

func (r *cutRound) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// round runs senders and changes, cuts the power, and looks at what is left.
func (site *cutSite) round(t *testing.T, c cut, flags ...string) *cutRound {
	t.Helper()
	backing := t.TempDir()
	if !c.first {
		if out, err := exec.Command("cp", "-a", site.data, backing+"/data").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	ctx, kill := context.WithCancel(context.Background())
	defer kill()
	r := &cutRound{site: site, keys: site.keys, ctx: ctx}
	r.volume = harness.MountVolume(t, backing, append([]string{"-mode", c.mode}, flags...)...)

	arm := c.arm()
	if c.first {
		r.volume.Control(arm...)
	}
	r.server = harness.Launch(t, r.volume.Mount+"/data")
	journals := t.TempDir()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if r.server.Listens(10*time.Second) && r.ready(t, c, arm) {
			r.work(t, c, journals)
		}
	}()
	most := 6 * time.Second
	if c.long || c.first { // the keys of a first start take a while to find
		most = 20 * time.Second
	}
	if r.armed = r.volume.WaitCut(most, done); !r.armed {
		r.volume.Control(append([]string{"cut"}, arm[2:]...)...)
	}

	// Everything on this machine loses power in the same moment. What hangs in a
	// call ends with the volume.
	r.server.Strike()
	kill()
	r.volume.End()
	r.server.Kill()
	<-done
	r.readJournals(t, journals)
	r.check(t, backing+"/data")
	return r
}

// arm is the command by which the volume cuts the power by itself. The first
// start makes about 600 changes until it listens, an image some 50.
func (c cut) arm() []string {
	rng := rand.New(rand.NewPCG(c.seed, 0))
	at := 300 + rng.IntN(6000)
	if c.long {
		at = 5000 + rng.IntN(4000)
	}
	return []string{"arm", fmt.Sprintf("at=%d", at), fmt.Sprintf("seed=%d", c.seed), "keep=" + c.keep, fmt.Sprintf("torn=%d", c.torn)}
}

// ready makes what the senders need, and turns the faults of the disk on.
func (r *cutRound) ready(t *testing.T, c cut, arm []string) bool {
	if c.first {
		r.keys = filepath.Join(t.TempDir(), "WS1")
		return r.run("device", "add", "WS1", "--data", r.volume.Mount+"/data", "--out", r.keys, "--allow", "echo,store,query,retrieve,commit")
	}
	r.volume.Control("sync")
	if c.fault != "" {
		r.volume.Control("fault", c.fault)
	}
	r.volume.Control(arm...)
	return true
}

// run runs a command that dies with the power, and reports success.
func (r *cutRound) run(args ...string) bool {
	if r.ctx.Err() != nil {
		return false
	}
	cmd := exec.CommandContext(r.ctx, harness.BinaryPath(), args...)
	return cmd.Run() == nil && r.ctx.Err() == nil
}

// work sends and changes until all is done or the power goes.
func (r *cutRound) work(t *testing.T, c cut, journals string) {
	var wg sync.WaitGroup
	batches := 5
	if c.long {
		batches = 40
	}
	for k := range 4 {
		pool := t.TempDir()
		var dirs []string
		for b := range batches {
			dir := filepath.Join(pool, strconv.Itoa(b))
			if os.Mkdir(dir, 0o700) != nil {
				return
			}
			study := uid.New()
			for i := range 4 {
				harness.Instance{Study: study, Fill: byte(b*4 + i), Pixels: 32 << 10}.Write(t, dir)
			}
			dirs = append(dirs, dir)
		}
		wg.Go(func() { r.send(dirs, filepath.Join(journals, strconv.Itoa(k))) })
	}
	if !c.first {
		changes := r.site.changes()
		rng := rand.New(rand.NewPCG(c.seed, 1))
		rng.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
		wg.Go(func() { r.change(changes) })
	}
	if c.long {
		for range 2 { // readers hold back the checkpoints
			wg.Go(func() {
				for r.run("find", r.server.Peer(), "--as", r.keys, "StudyInstanceUID=", "StudyDescription=*x*") {
				}
			})
		}
	}
	wg.Wait()
}

// send sends each directory and notes those that were committed.
func (r *cutRound) send(dirs []string, journal string) {
	for _, dir := range dirs {
		if !r.run("send", r.server.Peer(), dir, "--as", r.keys, "--commit", "--wait", "10s", "--journal", journal) {
			continue
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*.dcm")) // the pattern is well formed
		r.mu.Lock()
		r.images = append(r.images, files...)
		r.mu.Unlock()
	}
}

// changes are what a person at the machine does.
func (site *cutSite) changes() (list [][2]string) {
	for _, name := range slices.Sorted(maps.Keys(site.devices)) {
		list = append(list, [2]string{"device", name})
	}
	for _, id := range slices.Sorted(maps.Keys(site.tokens)) {
		list = append(list, [2]string{"token", id})
	}
	for _, study := range site.studies {
		list = append(list, [2]string{"study", study})
	}
	return list
}

func (r *cutRound) change(list [][2]string) {
	for _, c := range list {
		args := map[string][]string{
			"device": {"device", "remove", c[1]}, "token": {"token", "revoke", c[1]},
			"study": {"delete", "--study", c[1], "--reason", "test of power cuts"},
		}[c[0]]
		if r.run(append(args, "--data", r.volume.Mount+"/data")...) {
			r.mu.Lock()
			r.changes = append(r.changes, c)
			r.mu.Unlock()
		}
	}
}

// readJournals adds what the senders saw acknowledged one by one.
func (r *cutRound) readJournals(t *testing.T, dir string) {
	t.Helper()
	seen := map[string]bool{}
	for _, f := range r.images {
		seen[f] = true
	}
	for k := range 4 {
		f, err := os.Open(filepath.Join(dir, strconv.Itoa(k)))
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var e struct{ File string }
			if json.Unmarshal(lines.Bytes(), &e) == nil && !seen[e.File] {
				seen[e.File] = true
				r.images = append(r.images, e.File)
			}
		}
		f.Close()
	}
}
