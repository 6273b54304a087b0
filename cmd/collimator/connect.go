package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"collimator/internal/fault"
	"collimator/internal/gate/maintenance"
	"collimator/internal/terminal"
)

type connectCmd struct {
	Code   string `arg:"" optional:"" help:"The code of the door. Left out, it is asked for and stands in no list of processes."`
	As     string `required:"" help:"Your name at the server." placeholder:"NAME"`
	Listen string `help:"Address of this machine at which the viewer is to be pointed. Default: the port of the system, of loopback." placeholder:"127.0.0.1:PORT"`
}

func (connectCmd) Help() string {
	return `For whoever was given a code of a maintenance door ('collimator gate open'). It asks for your password
and for the code of your authenticator app, then takes connections of a viewer on this machine alone
and carries them to the system, until the time of the door is over or you interrupt it. No data
directory is needed, and nothing is kept.

Example:
  collimator connect gate.hospital.example:8443/AbC... --as acme --listen 127.0.0.1:5900`
}

func (c *connectCmd) Run(e *env) error {
	if err := loopback(c.Listen); err != nil {
		return err
	}
	ask := newQuestions(e)
	text, err := c.Code, error(nil)
	if text == "" {
		text, err = ask.hidden("Code of the door: ")
	}
	if err != nil {
		return err
	}
	code, err := maintenance.ParseCode(text)
	if err != nil {
		return fault.Misuse(err)
	}

	client := maintenance.NewClient(code, nil)
	if err := c.signIn(e.ctx, client, ask); err != nil {
		return err
	}
	defer leave(e, client)
	return c.carry(e, client)
}

func (c *connectCmd) signIn(ctx context.Context, client *maintenance.Client, ask *questions) error {
	password, err := ask.hidden("Password of " + c.As + ": ")
	if err != nil {
		return err
	}
	return client.SignIn(ctx, c.As, password, func() (string, error) { return ask.hidden("Code of the authenticator app: ") })
}

// carry enters the door, and takes connections until it is closed or the command is
// interrupted.
func (c *connectCmd) carry(e *env, client *maintenance.Client) error {
	x, err := client.Enter(e.ctx)
	if err != nil {
		return err
	}
	at := c.Listen
	if target, err := netip.ParseAddrPort(x.Target); at == "" && err == nil {
		at = net.JoinHostPort("127.0.0.1", fmt.Sprint(target.Port()))
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return fmt.Errorf("listen for the viewer: %w; choose another address with --listen, and ask for another code", err)
	}
	defer l.Close()

	err = e.say("Door %d to %s is open until %s. Point the viewer at %s; Ctrl-C closes the door.\n",
		x.Number, x.Target, terminal.Minute(time.Now().Add(time.Duration(x.SecondsLeft)*time.Second)), l.Addr())
	if err != nil {
		return err
	}
	err = client.Serve(e.ctx, l, func(err error) { e.hint(fault.Text(err)) })
	if errors.Is(err, context.Canceled) { // interrupted
		return nil
	}
	return err
}

// leaveMost is how long the server may take to hear that somebody leaves.
const leaveMost = 5 * time.Second

func leave(e *env, client *maintenance.Client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), leaveMost)
	defer cancel()
	if err := client.Leave(ctx); err != nil && fault.Of(err) != fault.Denied { // denied: the session is over
		e.hint("the server was not told that you left: " + fault.Text(err))
	}
}

// loopback refuses to take connections of other machines.
func loopback(address string) error {
	at, err := netip.ParseAddrPort(address)
	if address == "" || err == nil && at.Addr().IsLoopback() {
		return nil
	}
	return fault.Usage("--listen: want an address of loopback, such as 127.0.0.1:5900: others in your network were not let in")
}

// questions are asked at the terminal without echo, or answered a line each by what
// comes on standard input.
type questions struct {
	e     *env
	lines *bufio.Reader
}

func newQuestions(e *env) *questions {
	return &questions{e, bufio.NewReader(io.LimitReader(e.stdin, 16<<10))}
}

func (q *questions) hidden(question string) (string, error) {
	if terminal.Attended(q.e.stdin) {
		return q.e.asking().Secret(question, 1024)
	}
	line, err := q.lines.ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return "", fault.Usage("there is no terminal to ask at, and no line on standard input: %s", strings.TrimSuffix(question, ": "))
	}
	return strings.TrimRight(line, "\r\n"), nil
}
