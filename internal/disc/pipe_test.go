//go:build unix

package disc

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestANamedLinkIsFollowedAndAPipeIsNotOpened(t *testing.T) {
	t.Parallel()
	from := study(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(from, "a"), link); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no pipes here: left out that they are not opened")
	}

	_, m := made(t, link, pipe)
	if m.Objects != 1 || len(m.LeftOut) != 1 || m.LeftOut[0].File != pipe {
		t.Errorf("%+v", m)
	}
	if _, err := List(context.Background(), pipe, ListOptions{}); err == nil {
		t.Error("a pipe is a medium")
	}
}
