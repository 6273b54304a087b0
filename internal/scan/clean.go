package scan

// clean keeps at most n printable characters of ISO 646 of what a peer says of
// itself, so that it can be printed anywhere.
func clean(s string, n int) string {
	b := make([]byte, 0, min(len(s), n))
	for i := 0; i < len(s) && len(b) < n; i++ {
		if s[i] >= 0x20 && s[i] <= 0x7E {
			b = append(b, s[i])
		}
	}
	return string(b)
}
