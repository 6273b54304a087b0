package house

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"collimator/internal/config"
	"collimator/internal/recovery"
	"collimator/internal/terminal"
)

// Greeting is what a server says to whoever started it. W is standard output: secrets
// that are shown once go there and not into the log.
type Greeting struct {
	In  *Installation
	W   io.Writer
	Log *slog.Logger
}

// Welcome says where the server listens and what to do next.
func (g Greeting) Welcome(ctx context.Context, at Listening) {
	cfg := g.In.Config
	fmt.Fprintf(g.W, "Collimator %s\n", Version())
	fmt.Fprintf(g.W, "  DICOM (TLS)  %s, AE title %s\n", at.DICOM, strings.Join(titles(cfg, at), ", "))
	if at.Web != nil && cfg.Only == "" {
		fmt.Fprintf(g.W, "  DICOMweb     https://%s%s\n", at.Web, WebRoot)
	}
	fmt.Fprintf(g.W, "  Data         %s\n", cfg.Data)

	devices, err := g.In.Registry.Devices(ctx)
	if err == nil && len(devices) == 0 {
		fmt.Fprintf(g.W, "\nNo device may come in yet. "+
			"In another terminal:\n  %s device add WS1 --data %s --allow echo,store,query,retrieve,commit "+
			"--out ./ws1\n", os.Args[0], cfg.Data)
	}

	g.OfferFirstLink(ctx)
	if err := g.In.OfferRecoveryKey(ctx, g.W); err != nil {
		g.Log.Error("recovery key not made", "error", err)
	}
	if terminal.Attended(g.W) {
		fmt.Fprintln(g.W, "\nStop with Ctrl-C.")
	}
}

// titles are the AE titles that may be called: of the archive and of the routes, with
// what stands behind them.
func titles(cfg config.Config, at Listening) []string {
	var list []string
	if cfg.Only == "" {
		list = append(list, cfg.AE)
	}
	for _, r := range at.Routes {
		if !r.AtServer() { // it is called elsewhere than at the addresses above
			continue
		}
		list = append(list, r.Name+" (the gate to "+r.Leads()+")")
	}
	if len(list) == 0 {
		list = append(list, "none: 'collimator gate add' makes a route")
	}
	return list
}

// OfferFirstLink prints the one-time link for the first administrator, where
// there is none.
func (g Greeting) OfferFirstLink(ctx context.Context) {
	in := g.In
	ctx = context.WithoutCancel(ctx) // also where the signal to stop is already there

	has, err := in.Registry.HasAdministrator(ctx)
	if has || in.Config.HTTP == "" {
		return
	}

	if err == nil && os.Getenv("JOURNAL_STREAM") != "" { // of systemd, where standard output is a log
		fmt.Fprintf(g.W, "There is no administrator yet, and HTTPS answers nothing. "+
			"Make one: %s init --data %s --admin NAME\n", os.Args[0], in.Config.Data)
		return
	}

	var secret string
	if err == nil {
		_, secret, err = in.Registry.FirstLink(ctx)
	}
	if err != nil {
		g.Log.Error("one-time link for the first administrator not made", "error", err)
		return
	}

	fmt.Fprintf(g.W, "\nThere is no administrator yet. Until there is one, "+
		"HTTPS answers nothing else than this link,\nwhich counts once and for 24 hours:\n  %s%s\n"+
		"Or in another terminal:\n  %s init --data %s --admin NAME\n",
		LinkAddress(in.Config), secret, os.Args[0], in.Config.Data)
}

// OfferRecoveryKey makes the recovery key of a new installation and shows it once.
// It is not shown where standard output may be a log that others read and that
// keeps it: then somebody makes one into a file.
func (in *Installation) OfferRecoveryKey(ctx context.Context, w io.Writer) error {
	s, err := recovery.Load(in.Config.Data)
	if err != nil || s.Public != "" {
		return err
	}
	if !terminal.Attended(w) {
		_, err := fmt.Fprintf(w, "\nThere is no recovery key yet, and backups need one. Make it into a file that you keep elsewhere:\n"+
			"  %s recovery-key --data %s --out FILE\n", os.Args[0], in.Config.Data)
		return err
	}

	return in.ShowFirstRecoveryKey(ctx, w)
}

// ShowFirstRecoveryKey makes the recovery key of an installation that has none, and
// shows it with what to do with it.
func (in *Installation) ShowFirstRecoveryKey(ctx context.Context, w io.Writer) error {
	key, err := in.FirstRecoveryKey(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nThe recovery key opens the keys in backups. It is shown this once and kept nowhere here.\n"+
		"Write it down and keep it elsewhere:\n"+
		"  %s\nThen: %s recovery-key --data %s --confirm\n", key.Secret(), os.Args[0], in.Config.Data)
	return err
}

// RecoveryKeyText says in words which recovery key there is, and whether it is kept.
func (in *Installation) RecoveryKeyText() (string, error) {
	s, err := recovery.Load(in.Config.Data)
	if err != nil {
		return "", err
	}
	if s.Public == "" {
		return "", errors.New("there is no recovery key: make one with --out FILE")
	}

	kept := "nobody has confirmed yet that it is kept: collimator recovery-key --confirm"
	if !s.Confirmed.IsZero() {
		kept = "confirmed " + terminal.Minute(s.Confirmed)
	}
	return fmt.Sprintf("public     %s\nmade       %s\nkept       %s\n", s.Public, terminal.Minute(s.Made), kept), nil
}
