package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"collimator/internal/config"
	"collimator/internal/house"
	"collimator/internal/terminal"
)

// greeting is what serve prints once it listens.
type greeting struct {
	e   *env
	in  *house.Installation
	log *slog.Logger
}

// welcome says where the server listens and what to do next.
func (g greeting) welcome(at house.Listening) {
	e := g.e
	in := g.in
	cfg := in.Config
	fmt.Fprintf(e.stdout, "Collimator %s\n", house.Version())
	fmt.Fprintf(e.stdout, "  DICOM (TLS)  %s, AE title %s\n", at.DICOM, strings.Join(titles(cfg, at), ", "))
	if at.Web != nil && cfg.Only == "" {
		fmt.Fprintf(e.stdout, "  DICOMweb     https://%s%s\n", at.Web, house.WebRoot)
	}
	fmt.Fprintf(e.stdout, "  Data         %s\n", cfg.Data)

	devices, err := in.Registry.Devices(e.ctx)
	if err == nil && len(devices) == 0 {
		fmt.Fprintf(e.stdout, "\nNo device may come in yet. "+
			"In another terminal:\n  %s device add WS1 --data %s --allow echo,store,query,retrieve,commit "+
			"--out ./ws1\n", os.Args[0], cfg.Data)
	}

	g.offerFirstLink()
	if err := firstRecovery(e, in); err != nil {
		g.log.Error("recovery key not made", "error", err)
	}
	if terminal.Attended(e.stdout) {
		fmt.Fprintln(e.stdout, "\nStop with Ctrl-C.")
	}
}

// titles are the AE titles that may be called: of the archive and of the routes, with
// what stands behind them.
func titles(cfg config.Config, at house.Listening) []string {
	var list []string
	if cfg.Only == "" {
		list = append(list, cfg.AE)
	}
	for _, r := range at.Routes {
		list = append(list, r.Name+" (the gate to "+r.Protect+")")
	}
	if len(list) == 0 {
		list = append(list, "none: 'collimator gate add' makes a route")
	}
	return list
}

// offerFirstLink prints the one-time link for the first administrator, where
// there is none. It goes to standard output and not into the log.
func (g greeting) offerFirstLink() {
	in := g.in
	w := g.e.stdout
	ctx := context.WithoutCancel(g.e.ctx) // also where the signal to stop is already there

	has, err := in.Registry.HasAdministrator(ctx)
	if has || in.Config.HTTP == "" {
		return
	}

	if err == nil && os.Getenv("JOURNAL_STREAM") != "" { // of systemd, where standard output is a log
		fmt.Fprintf(w, "There is no administrator yet, and HTTPS answers nothing. "+
			"Make one: %s init --data %s --admin NAME\n", os.Args[0], in.Config.Data)
		return
	}

	var secret string
	if err == nil {
		_, secret, err = in.Registry.FirstLink(ctx)
	}
	if err != nil {
		g.log.Error("one-time link for the first administrator not made", "error", err)
		return
	}

	fmt.Fprintf(w, "\nThere is no administrator yet. Until there is one, "+
		"HTTPS answers nothing else than this link,\nwhich counts once and for 24 hours:\n  %s%s\n"+
		"Or in another terminal:\n  %s init --data %s --admin NAME\n",
		house.LinkAddress(in.Config), secret, os.Args[0], in.Config.Data)
}

// advise says on standard error what may be wrong with the address in a link.
func advise(e *env, c config.Config) {
	if text := house.LinkAdvice(c); text != "" {
		fmt.Fprintln(e.stderr, "collimator: "+text)
	}
}
