package house

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// CheckLog refuses an index whose write-ahead log is not its own. SQLite would
// throw the log of an index that is missing away, and what was acknowledged
// last with it; and it would write the log of another index, such as the one
// that was here before a backup was put back, over the one that is there.
func CheckLog(data string) error {
	index := filepath.Join(data, IndexFile)
	log, err := os.Stat(index + "-wal")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the log of the index: %w", err)
	}
	if err != nil || log.Size() == 0 {
		return nil
	}

	format, err := journalOf(index)
	if err != nil {
		return fmt.Errorf("look at the index: %w", err)
	}
	aside := fmt.Sprintf("move %s-wal and %s-shm to another directory", index, index)
	const see = "(docs/operate.md, \"The index is gone\")"
	switch format {
	case noJournal:
		return fmt.Errorf("%s is missing or empty, and its log %s-wal is there, which alone may hold what was acknowledged last. "+
			"Nothing was changed. Where the index was moved away, put it back beside its log. "+
			"Where it is lost, %s, put the index back from a backup, "+
			"and run collimator reindex --data %s %s", index, index, aside, data, see)
	case rollbackJournal:
		return fmt.Errorf("%s is a copy from a backup, and %s-wal is the log of the index that was there before. "+
			"Nothing was changed. First %s, then run the command again %s", index, index, aside, see)
	}

	return nil
}

// indexLog is what the header of a database file says of its log.
type indexLog int

const (
	noJournal       indexLog = iota // there is no header
	rollbackJournal                 // of a copy, until it is opened for the first time
	otherJournal                    // a write-ahead log, or the file is not a database
)

func journalOf(path string) (indexLog, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return noJournal, nil
	}
	if err != nil {
		return noJournal, err
	}
	defer f.Close()

	const (
		magic        = "SQLite format 3\x00"
		writeVersion = 18 // offset of the byte
	)
	header := make([]byte, writeVersion+1)
	n, err := io.ReadFull(f, header)
	switch {
	case errors.Is(err, io.EOF):
		return noJournal, nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return noJournal, err
	case n == len(header) && string(header[:len(magic)]) == magic && header[writeVersion] == 1:
		return rollbackJournal, nil
	}

	return otherJournal, nil
}
