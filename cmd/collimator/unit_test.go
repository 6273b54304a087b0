package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"collimator/dicom/uid"
	"collimator/internal/durable"
	"collimator/internal/fetch"
	"collimator/internal/identity"
	"collimator/internal/pacs"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestGetTakesEveryTransferSyntaxTheArchiveStores(t *testing.T) {
	t.Parallel()
	for _, ts := range pacs.New(pacs.Options{}).Support().TransferSyntaxes(uid.CTImageStorage) {
		if !slices.Contains(fetch.AnySyntax(), ts) {
			t.Errorf("an object stored in %s cannot be fetched", uid.Name(ts))
		}
	}
}

// TestEveryCommandHasAHelpTextWithAnExample holds for commands, not for groups of them.
func TestEveryCommandHasAHelpTextWithAnExample(t *testing.T) {
	t.Parallel()
	var c cli
	var sink bytes.Buffer
	parser, err := newParser(&c, &env{stdout: &sink, stderr: &sink, ctx: context.Background()})
	if err != nil {
		t.Fatal(err)
	}
	var walk func(n *kong.Node, path string)
	walk = func(n *kong.Node, path string) {
		if len(n.Children) > 0 {
			for _, child := range n.Children {
				walk(child, path+" "+child.Name)
			}
			return
		}
		var out bytes.Buffer
		if code := run(append(strings.Fields(path), "--help"), &env{stdout: &out, stderr: &out, ctx: context.Background()}); code != exitOK {
			t.Errorf("%s --help: exit code %d", path, code)
		}
		if text := out.String(); !strings.Contains(text, "Example") || !strings.Contains(text, "collimator"+path) {
			t.Errorf("the help of%s has no example:\n%s", path, text)
		}
	}
	walk(parser.Model.Node, "")
}

func TestKeyIsNotWrittenIntoAFileThatSomebodyElsePrepared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, trap := filepath.Join(dir, "WS1.key.pem"), filepath.Join(dir, "trap")
	if err := os.Symlink(trap, key+".new"); err != nil {
		t.Skip("no symbolic links here")
	}
	if err := durable.Whole(key, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(trap); err == nil {
		t.Error("the key was written through a prepared link")
	}
	info, err := os.Lstat(key)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestDeviceListMarksShortKeys(t *testing.T) {
	t.Parallel()
	end := time.Date(2027, 1, 2, 12, 0, 0, 0, time.Local)
	row := deviceRow(&identity.Device{AETitle: "OLD1", Certificates: []identity.Certificate{{NotAfter: end, Weakness: "RSA key of 1024 bits"}}})
	if !slices.Contains(row, "2027-01-02, INSECURE: RSA key of 1024 bits") {
		t.Errorf("row %q", row)
	}
}
