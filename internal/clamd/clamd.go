// Package clamd asks a ClamAV daemon about a stream of bytes, over its socket
// and with its INSTREAM command. It decides nothing.
package clamd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"collimator/internal/fault"
)

// Client asks one daemon. Safe for concurrent use; every scan is a connection.
type Client struct {
	network, address string
	timeout          time.Duration
	dial             func(ctx context.Context, network, address string) (net.Conn, error)
}

// Timeout is how long one scan may take: less than what senders wait for a
// response, so that they see the answer.
const Timeout = 20 * time.Second

// New makes a client for a path of a Unix socket, or HOST:PORT.
func New(address string) *Client {
	network := "tcp"
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	return &Client{network: network, address: address, timeout: Timeout, dial: new(net.Dialer).DialContext}
}

// chunk is how many bytes are sent at a time.
const chunk = 64 << 10

// maxReply is the longest reply that is read, in bytes.
const maxReply = 4 << 10

// ErrLimit: the daemon takes no more of a stream (its StreamMaxLength), and
// found nothing up to there.
var ErrLimit = fault.New(fault.TooLarge, "clamd: the stream is longer than the daemon takes; raise StreamMaxLength in clamd.conf")

var (
	// errSilent is the cause where the daemon does not answer.
	errSilent = errors.New("no answer")
	// errReported: it answered that it could not look.
	errReported = fault.New(fault.Unavailable, "clamd: the daemon reports an error; see its log")
)

// Scan sends what r holds and returns the name of the signature that was found;
// empty for none. An error of kind Unavailable is the daemon's or the network's;
// one of r is returned as it is.
func (c *Client) Scan(ctx context.Context, r io.Reader) (signature string, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	conn, err := c.dial(ctx, c.network, c.address)
	if err != nil {
		return "", unavailable(err)
	}
	defer conn.Close()

	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()

	sent, err := send(conn, r)
	if err != nil {
		return "", err
	}

	reply, err := io.ReadAll(io.LimitReader(conn, maxReply))
	if len(reply) == 0 {
		return "", unavailable(errors.Join(sent, err))
	}

	signature, err = parse(string(bytes.TrimRight(reply, "\x00\n")))
	if sent != nil && signature == "" && err == nil {
		err = unavailable(sent) // it cannot say of the whole what it has not seen
	}
	return signature, err
}

func unavailable(err error) error {
	return &fault.Error{
		Kind: fault.Unavailable, Err: errors.Join(errSilent, err),
		Text: "clamd: the daemon does not answer; is it running, and is inspect.clamd its socket?",
	}
}

// send writes the command and the stream. broken is an error of the connection,
// after which there may be a reply all the same.
func send(conn net.Conn, r io.Reader) (broken, err error) {
	if _, err := conn.Write([]byte("zINSTREAM\x00")); err != nil {
		return err, nil
	}

	b := make([]byte, 4+chunk)
	for {
		n, err := io.ReadFull(r, b[4:])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return nil, err
		}

		if n > 0 {
			binary.BigEndian.PutUint32(b, uint32(n))
			if _, err := conn.Write(b[:4+n]); err != nil {
				return err, nil
			}
		}

		if err != nil {
			_, err := conn.Write([]byte{0, 0, 0, 0})
			return err, nil
		}
	}
}

// parse reads "stream: OK", "stream: NAME FOUND" or an error.
func parse(reply string) (signature string, err error) {
	reply = strings.TrimPrefix(reply, "stream: ")
	if name, ok := strings.CutSuffix(reply, " FOUND"); ok {
		return name, nil
	}

	switch {
	case reply == "OK":
		return "", nil
	case strings.Contains(reply, "size limit exceeded"):
		return "", ErrLimit
	}
	return "", errReported
}
