package durable

// Free is the first of what Space says.
func Free(dir string) (int64, error) {
	free, _, err := Space(dir)
	return free, err
}
