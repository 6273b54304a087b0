package house

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"collimator/internal/fault"
)

// ServeLock is the file a server holds while it runs on a data directory.
const ServeLock = "serve.lock"

// LockData makes sure that one server runs on a data directory: two would
// deliver, scan and send alarms twice. Commands need no lock. The file says which
// version of the program has it.
func LockData(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, ServeLock), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fault.Usage("another server runs on %s; "+
			"stop it first, or name another directory with --data", dir), f.Close())
	}

	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(Version()+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data directory: %w", err), f.Close())
	}
	return f, nil
}

// Served reports that a server runs on the data directory; where that cannot be told, too.
func (in *Installation) Served() bool {
	lock, err := LockData(in.Config.Data)
	return err != nil || lock.Close() != nil
}

// lockHolder is the version of the program that has the lock of a data directory.
func lockHolder(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, ServeLock))
	if v := strings.TrimSpace(string(b)); err == nil && v != "" && len(v) < 200 {
		return v
	}
	return "an earlier version"
}

// alone takes the lock of a data directory for a change of its index: a server
// that runs on it would find another index under itself than it was made for.
func alone(dir string) (*os.File, error) {
	lock, err := LockData(dir)
	if err != nil {
		return nil, besideServer(dir)
	}
	return lock, nil
}

// besideServer refuses a change of the index beside a server.
func besideServer(dir string) error {
	return fault.Usage("the index in %s has to be changed for this program (%s), and a server runs on it (%s). Nothing was changed. "+
		"Run the command with the server's own program, or stop the server first, and start it with this one afterwards",
		dir, Version(), lockHolder(dir))
}
