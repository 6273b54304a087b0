// Command collimator keeps medical images safe. This package wires the others
// together and reads flags; there is one file for each subcommand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"collimator/internal/bounds"
	"collimator/internal/fault"
	"collimator/internal/finding"
	"collimator/internal/house"
	"collimator/internal/shown"
)

// cli is the whole command line.
type cli struct {
	Init        initCmd        `cmd:"" help:"Make a data directory with its certificate authority and the first administrator."`
	Serve       serveCmd       `cmd:"" help:"Run the archive."`
	Device      deviceCmd      `cmd:"" help:"Say which devices may come in."`
	Demo        demoCmd        `cmd:"" help:"Run a hospital on this machine for an hour, to look at."`
	Gate        gateCmd        `cmd:"" help:"A door in front of systems that nobody can patch."`
	Connect     connectCmd     `cmd:"" help:"Come through a door that was opened for you, to maintain a system."`
	Echo        echoCmd        `cmd:"" help:"Ask an AE whether it is there (C-ECHO)."`
	Send        sendCmd        `cmd:"" help:"Send files to an AE (C-STORE, storage commitment)."`
	Find        findCmd        `cmd:"" help:"Look for patients, studies, series or instances (C-FIND)."`
	Get         getCmd         `cmd:"" help:"Fetch instances into a directory (C-GET)."`
	Move        moveCmd        `cmd:"" help:"Have instances sent to another AE (C-MOVE)."`
	Dump        dumpCmd        `cmd:"" help:"Print data sets; values of patients only with --reveal."`
	Media       mediaCmd       `cmd:"" help:"CDs and folders with a DICOMDIR: list, check, make."`
	Deidentify  deidentifyCmd  `cmd:"" help:"Write copies of files without the identity of their patients."`
	Export      exportCmd      `cmd:"" help:"Write stored images as plain files, signed if you like."`
	Verify      verifyCmd      `cmd:"" help:"Hold every stored byte, row and record against the ledger."`
	Signature   signatureCmd   `cmd:"" help:"Check digital signatures of images."`
	Reindex     reindexCmd     `cmd:"" help:"Make the index anew from the ledger and the images."`
	Lost        lostCmd        `cmd:"" help:"Files of which the index knows nothing, and which were set aside."`
	Backup      backupCmd      `cmd:"" help:"Copy the archive to another place, beside the server."`
	Restore     restoreCmd     `cmd:"" help:"Bring a backup back, or rehearse it."`
	Keys        keysCmd        `cmd:"" help:"Rotate the keys of the archive."`
	RecoveryKey recoveryKeyCmd `cmd:"" name:"recovery-key" help:"The key that opens the keys in backups."`
	Scan        scanCmd        `cmd:"" help:"Find what is exposed in networks that are yours, without harm."`
	Group       groupCmd       `cmd:"" help:"What groups of the identity provider may see."`
	User        userCmd        `cmd:"" help:"People and what they may see."`
	Token       tokenCmd       `cmd:"" help:"Bearer tokens for DICOMweb."`
	Policy      policyCmd      `cmd:"" help:"Who may do what, and by which rule."`
	Share       shareCmd       `cmd:"" help:"Links to one study, for people without an account."`
	Studies     studiesCmd     `cmd:"" help:"List the studies of the archive, page by page."`
	Label       labelCmd       `cmd:"" help:"Say labels, a status or a note of a study."`
	Delete      deleteCmd      `cmd:"" help:"Delete images; the ledger keeps a tombstone."`
	Quarantine  quarantineCmd  `cmd:"" help:"What was held back because it contradicts what is stored."`
	Inventory   inventoryCmd   `cmd:"" help:"Which systems there are, which are affected, and what was decided."`
	Advisory    advisoryCmd    `cmd:"" help:"Published advisories about imaging systems."`
	Report      reportCmd      `cmd:"" help:"How things stand: issues, systems, what changed, what to do."`
	Alarm       alarmCmd       `cmd:"" help:"Who is told when something happens."`
	Audit       auditCmd       `cmd:"" help:"Read the audit trail."`
	Ledger      ledgerCmd      `cmd:"" help:"Checkpoints and proofs of the log that nobody can rewrite."`
	Sample      sampleCmd      `cmd:"" help:"Write a small study that was drawn by a program, to try things with."`
	Config      configCmd      `cmd:"" help:"Show or check the settings."`
	Completion  completionCmd  `cmd:"" help:"Print the completion script of a shell."`
	Doctor      doctorCmd      `cmd:"" help:"How each part of the archive is, and what to do."`
	Health      healthCmd      `cmd:"" help:"Whether the server answers; for containers."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// env is what commands use of the world around the process.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	ctx            context.Context
	opened         func(in *house.Installation) error // is given what a command opens; nil but in tests
}

// Exit codes; docs/commands.md lists them for users.
const (
	exitOK      = 0
	exitFailure = 1 // it did not work; the message says why
	exitUsage   = 2 // the command line or the settings are wrong
	exitPartial = 3 // some of it worked, or what was asked for was found; it is listed
	exitRefused = 4 // the peer refused
	exitFound   = 5 // --fail-on applies
)

// exitCode is the exit code for the way in which an error ends; an error that names
// none is a failure.
func exitCode(err error) int {
	switch fault.EndingOf(err) {
	case fault.Misused:
		return exitUsage
	case fault.Partly:
		return exitPartial
	case fault.Refused:
		return exitRefused
	case fault.Found:
		return exitFound
	}
	return exitFailure
}

func main() {
	os.Exit(process())
}

// process runs the command line of the process. The first SIGINT or SIGTERM lets
// it end in order; the second one ends it at once.
func process() int { return processWith(nil) }

// processWith is process; opened is given each installation that the command opens.
func processWith(opened func(in *house.Installation) error) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)

	// It ends with the process. Signals do what they do by default before anybody
	// learns of the first one, so that the second one is never swallowed.
	go func() {
		<-signals
		signal.Stop(signals)
		cancel()
	}()

	return run(os.Args[1:], &env{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, ctx: ctx, opened: opened})
}

// exited is panicked by the parser's exit hook after it printed help, so that
// run returns instead of ending the process.
type exited int

// run executes one command line and returns the exit code.
func run(args []string, e *env) (code int) {
	defer func() {
		if r := recover(); r != nil {
			n, ok := r.(exited)
			if !ok {
				panic(r)
			}
			code = int(n)
		}
	}()

	parser, err := newParser(grammar(args), e)
	if err != nil {
		fmt.Fprintln(e.stderr, "collimator:", err)
		return exitFailure
	}

	if len(args) == 0 {
		args = []string{"--help"}
	}
	kctx, err := parser.Parse(args)
	if err == nil {
		err = bounds.Check(kctx)
	}
	if err != nil {
		fmt.Fprintf(e.stderr, "collimator: %s\nSee 'collimator %s--help'.\n", shown.Lines(err), commandOf(kctx, err))
		return exitUsage
	}

	if err := kctx.Run(e); err != nil {
		fmt.Fprintf(e.stderr, "collimator: %s\n", shown.Lines(err))
		return exitCode(err)
	}
	return exitOK
}

// grammar is the command that the first argument names, with all below it, or the
// whole command line where it names none. Making the whole takes longer than most
// commands do.
func grammar(args []string) any {
	whole := reflect.TypeFor[cli]()
	if len(args) == 0 || args[0] == "completion" { // which prints all there are
		return &cli{}
	}
	for field := range whole.Fields() {
		name, named := field.Tag.Lookup("name")
		if !named {
			name = strings.ToLower(field.Name)
		}
		if name == args[0] {
			field.Offset, field.Index = 0, nil
			return reflect.New(reflect.StructOf([]reflect.StructField{field})).Interface()
		}
	}

	return &cli{}
}

func newParser(grammar any, e *env) (*kong.Kong, error) {
	return kong.New(grammar,
		kong.Name("collimator"),
		kong.Description("Keeps medical images safe: an archive (PACS) that is secure without configuration.\n\n"+
			"Start with:  collimator serve --data ./data"),
		kong.Writers(e.stdout, e.stderr),
		kong.Exit(func(n int) { panic(exited(n)) }),
		kong.PostBuild(bounds.Tell),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Vars{"version": house.Version(), "optin": strings.Join(finding.Options(), ", ")},
	)
}

// commandOf names the command in which parsing stopped, with a blank behind it.
func commandOf(ctx *kong.Context, err error) string {
	if parse, ok := errors.AsType[*kong.ParseError](err); ok {
		ctx = parse.Context
	}
	if ctx == nil || ctx.Command() == "" {
		return ""
	}

	words := strings.Fields(ctx.Command())
	for i, w := range words {
		if strings.HasPrefix(w, "<") || strings.HasPrefix(w, "[") {
			words = words[:i]
			break
		}
	}
	return strings.Join(append(words, ""), " ")
}
