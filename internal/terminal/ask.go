package terminal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"collimator/internal/fault"
)

// Asking is where questions are put and answered: In is standard input, and Prompt
// standard error, so that what is asked does not stand in what is printed.
type Asking struct {
	In     io.Reader
	Prompt io.Writer
}

// NewPassword reads a new password: the first line of a file, of In where file is
// "-", or, where none is named, what somebody types twice at the terminal without
// echo. A file that is not there, and nobody to ask, are wrong usage.
func (a Asking) NewPassword(file string) (string, error) {
	switch file {
	case "-":
		return FirstLine(a.In)
	case "":
		return a.twice()
	}

	f, err := os.Open(file)
	if err != nil {
		return "", fault.Usage("--password-file: %w", err)
	}
	defer f.Close()
	return FirstLine(f)
}

// twice asks twice at the terminal.
func (a Asking) twice() (string, error) {
	in, ok := attended(a.In)
	if !ok {
		return "", fault.Usage("there is no terminal to ask for a password at: " +
			"use --password-file FILE, or --password-file - for standard input")
	}

	var typed [2]string
	for i, question := range []string{"New password: ", "The same again: "} {
		b, err := a.hidden(in, question)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(b)
	}

	if typed[0] != typed[1] {
		return "", fault.Usage("the two passwords differ; nothing was made")
	}
	return typed[0], nil
}

// hidden asks at a terminal without echo.
func (a Asking) hidden(in *os.File, question string) ([]byte, error) {
	fmt.Fprint(a.Prompt, question)
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(a.Prompt)
	return b, err
}

// Secret asks for a secret at the terminal without echo. Where In is
// not a terminal, Secret reads it to its end, at most so many bytes.
func (a Asking) Secret(question string, most int64) (string, error) {
	if in, ok := attended(a.In); ok {
		b, err := a.hidden(in, question)
		return string(b), err
	}
	b, err := io.ReadAll(io.LimitReader(a.In, most))
	return string(b), err
}

// Until asks for a line until take does not answer with again, at most so many
// times. Where there is no line to read, the error is again.
func (a Asking) Until(question string, times int, again error, take func(line string) error) (err error) {
	lines := bufio.NewScanner(a.In)
	for range times {
		fmt.Fprint(a.Prompt, question)
		if !lines.Scan() {
			return errors.Join(again, lines.Err())
		}

		err = take(strings.TrimSpace(lines.Text()))
		if !errors.Is(err, again) {
			return err
		}

		fmt.Fprintln(a.Prompt, "That was not it.")
	}
	return err
}

// FirstLine reads the first line of at most 4 KiB, without its end.
func FirstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
