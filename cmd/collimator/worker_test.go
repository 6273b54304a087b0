package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"collimator/internal/house/sitetest"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands of one script run one after another in one process, its worker: a
// process for each costs more than most of them do. What is in the background, is
// sent signals or reads standard input is run by exec, as a process of its own.

// The names by which the program of the tests is run as something else.
const (
	commandName = "collimator"        // one command, as main does it
	workerName  = "collimator-worker" // the commands of a script
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(sitetest.GarbagePercent)
	switch filepath.Base(os.Args[0]) {
	case commandName:
		os.Exit(processWith(cheaply))
	case workerName:
		os.Exit(work(os.Stdin, os.Stdout))
	}
	os.Exit(runNamed(m))
}

// runNamed runs the tests with the program in the path, by its two other names.
func runNamed(m *testing.M) int {
	dir, err := os.MkdirTemp("", "collimator-test-path-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailure
	}
	defer os.RemoveAll(dir)

	self, err := os.Executable()
	for _, name := range []string{commandName, workerName} {
		if err == nil {
			err = os.Symlink(self, filepath.Join(dir, name))
		}
	}
	if err == nil {
		err = os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailure
	}

	return sitetest.Run(m)
}

// order is a command line and what is around it.
type order struct {
	Args []string
	Dir  string
	Env  map[string]string
}

// ending is how a command ended.
type ending struct {
	Code           int
	Stdout, Stderr []byte
	AskedForInput  bool // it read standard input, which it has none of
}

// work does one order after another until there are no more.
func work(orders io.Reader, endings io.Writer) int {
	// What a command writes past its environment must not get among the endings.
	os.Stdout = os.Stderr

	in, out := json.NewDecoder(orders), json.NewEncoder(endings)
	for {
		var o order
		err := in.Decode(&o)
		if errors.Is(err, io.EOF) {
			return exitOK
		}
		if err == nil {
			err = out.Encode(o.run())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			return exitFailure
		}
	}
}

// run does what process does, in the directory and the environment of the order.
func (o order) run() ending {
	err := os.Chdir(o.Dir)
	os.Clearenv()
	for name, value := range o.Env {
		err = errors.Join(err, os.Setenv(name, value))
	}
	if err != nil {
		return ending{Code: exitFailure, Stderr: []byte("worker: " + err.Error())}
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var stdin noInput
	var stdout, stderr bytes.Buffer
	code := run(o.Args, &env{stdin: &stdin, stdout: &stdout, stderr: &stderr, ctx: ctx, opened: cheaply})

	return ending{Code: code, Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), AskedForInput: stdin.asked}
}

// noInput is empty and knows whether it was read.
type noInput struct{ asked bool }

// Read implements io.Reader.
func (n *noInput) Read([]byte) (int, error) {
	n.asked = true
	return 0, io.EOF
}

// worker is the process of a script. It starts with the first command.
type worker struct {
	ctx    context.Context // ends with the time of the tests
	vars   []string        // the environment at the start of the script
	names  []string        // of variables that may be set by then or in the script
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *json.Decoder
	stderr bytes.Buffer
}

// workerOf is the key of the worker among the values of a script.
type workerOf struct{}

// setVariable is the line of a script that sets a variable.
var setVariable = regexp.MustCompile(`(?m)^\s*(?:\[.*\]\s*)?env (\w+)=`)

// newWorker is the worker of the script that is set up, with the environment it has now.
func newWorker(ctx context.Context, e *testscript.Env) (*worker, error) {
	w := &worker{ctx: ctx, vars: e.Vars}
	for _, pair := range e.Vars {
		name, _, _ := strings.Cut(pair, "=")
		w.names = append(w.names, name)
	}

	// A script does not say which variables it has, only what the value of one is.
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		return nil, err
	}
	for _, path := range scripts {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for _, match := range setVariable.FindAllSubmatch(b, -1) {
			w.names = append(w.names, string(match[1]))
		}
	}

	return w, nil
}

func (w *worker) start() error {
	w.cmd = exec.CommandContext(w.ctx, workerName)
	w.cmd.Env, w.cmd.Stderr = w.vars, &w.stderr
	var err error
	if w.stdin, err = w.cmd.StdinPipe(); err != nil {
		return err
	}
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	w.stdout = json.NewDecoder(stdout)

	return w.cmd.Start()
}

// close ends the process and says what it wrote if it did not end well.
func (w *worker) close() error {
	cmd := w.cmd
	w.cmd = nil
	if cmd == nil || cmd.Process == nil {
		return nil
	}
	if err := errors.Join(w.stdin.Close(), cmd.Wait()); err != nil {
		return fmt.Errorf("the worker of the script: %w\n%s", err, w.stderr.Bytes())
	}
	return nil
}

// do runs a command line of the script and gives its exit code.
func (w *worker) do(ts *testscript.TestScript, args []string) int {
	if w.cmd == nil {
		ts.Check(w.start())
	}
	o := order{Args: args, Dir: ts.MkAbs("."), Env: map[string]string{"PWD": ts.MkAbs(".")}}
	for _, name := range w.names {
		if value := ts.Getenv(name); value != "" {
			o.Env[name] = value
		}
	}

	var got ending
	err := json.NewEncoder(w.stdin).Encode(o)
	if err == nil {
		err = w.stdout.Decode(&got)
	}
	if err != nil {
		ts.Fatalf("no ending of the command (%v): %v", err, w.close())
	}
	if got.AskedForInput {
		ts.Fatalf("this command reads standard input: run it by exec")
	}

	fmt.Fprintf(ts.Stdout(), "%s", got.Stdout)
	fmt.Fprintf(ts.Stderr(), "%s", got.Stderr)
	return got.Code
}

// scriptCommand runs a command that has to work, or with ! has not to: collimator ARGS.
func scriptCommand(ts *testscript.TestScript, neg bool, args []string) {
	if n := len(args); n > 0 && strings.HasPrefix(args[n-1], "&") {
		ts.Fatalf("what runs in the background is run by exec")
	}
	code := ts.Value(workerOf{}).(*worker).do(ts, args)
	if (code != exitOK) != neg {
		ts.Fatalf("exit code %d", code)
	}
}

// scriptCode wants an exit code of a command: code 2 collimator init. By exec it is
// a process of its own: code 2 exec collimator init.
func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code NUMBER [exec] collimator args...")
	}
	var code int
	switch args[1] {
	case commandName:
		code = ts.Value(workerOf{}).(*worker).do(ts, args[2:])
	case "exec":
		if err := ts.Exec(args[2], args[3:]...); err != nil {
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok {
				ts.Fatalf("%v", err)
			}
			code = exit.ExitCode()
		}
	default:
		ts.Fatalf("code: %s is neither exec nor %s", args[1], commandName)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}
