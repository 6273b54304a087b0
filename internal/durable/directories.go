package durable

// Directories are those that somebody made sure of, so that of many files in one
// only the first costs its fsync. Not safe for concurrent use.
type Directories map[string]bool

// Make is Directory, once for each name.
func (m Directories) Make(dir string) error {
	if m[dir] {
		return nil
	}

	if err := Directory(dir); err != nil {
		return err
	}

	m[dir] = true
	return nil
}
