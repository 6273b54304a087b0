package ul

// ReleaseRQ asks for the release of an association (PS3.8 9.3.6).
type ReleaseRQ struct{}

// Type implements PDU.
func (ReleaseRQ) Type() Type { return TypeReleaseRQ }

// AppendTo implements PDU; it never fails.
func (ReleaseRQ) AppendTo(dst []byte) ([]byte, error) {
	return append(dst, byte(TypeReleaseRQ), 0, 0, 0, 0, 4, 0, 0, 0, 0), nil
}

// ReleaseRP answers a release request (PS3.8 9.3.7).
type ReleaseRP struct{}

// Type implements PDU.
func (ReleaseRP) Type() Type { return TypeReleaseRP }

// AppendTo implements PDU; it never fails.
func (ReleaseRP) AppendTo(dst []byte) ([]byte, error) {
	return append(dst, byte(TypeReleaseRP), 0, 0, 0, 0, 4, 0, 0, 0, 0), nil
}
