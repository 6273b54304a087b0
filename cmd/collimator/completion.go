package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

func (completionCmd) Help() string {
	return "Example:\n  collimator completion bash > /etc/bash_completion.d/collimator"
}

// Run prints a script that knows every command and flag of this very binary.
func (c *completionCmd) Run(e *env, ctx *kong.Context) error {
	var table strings.Builder
	words(&table, ctx.Model.Node, nil)
	script := bashCompletion
	switch c.Shell {
	case "zsh":
		script = "autoload -U +X bashcompinit && bashcompinit\n" + bashCompletion
	case "fish":
		return fishCompletion(e, ctx.Model.Node, nil)
	}
	_, err := fmt.Fprintf(e.stdout, script, table.String())
	return err
}

// words writes a case for each command: what may follow it.
func words(b *strings.Builder, n *kong.Node, path []string) {
	var next []string
	for _, child := range n.Children {
		if !child.Hidden {
			next = append(next, child.Name)
		}
	}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			next = append(next, "--"+f.Name)
		}
	}
	fmt.Fprintf(b, "    %q) words=%q ;;\n", strings.Join(path, " "), strings.Join(next, " "))
	for _, child := range n.Children {
		words(b, child, append(path[:len(path):len(path)], child.Name))
	}
}

const bashCompletion = `_collimator() {
  local words= path= w cur="${COMP_WORDS[COMP_CWORD]}"
  for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$w" in -*) ;; *) path="${path:+$path }$w" ;; esac
  done
  while :; do
    case "$path" in
%s    *) if [ -n "$path" ]; then case "$path" in *" "*) path="${path%%%% *}" ;; *) path= ;; esac; continue; fi ;;
    esac
    break
  done
  case "$cur" in
    -*) ;;
    *) [ "${words#--}" != "$words" ] && { COMPREPLY=($(compgen -f -- "$cur")); return; } ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o filenames -F _collimator collimator
`

func fishCompletion(e *env, n *kong.Node, path []string) error {
	condition := "__fish_use_subcommand"
	if len(path) > 0 {
		condition = "__fish_seen_subcommand_from " + path[len(path)-1]
	}
	for _, child := range n.Children {
		if _, err := fmt.Fprintf(e.stdout, "complete -c collimator -n '%s' -f -a %s -d %s\n", condition, child.Name, fishQuote(child.Help)); err != nil {
			return err
		}
		if err := fishCompletion(e, child, append(path[:len(path):len(path)], child.Name)); err != nil {
			return err
		}
	}
	for _, f := range n.Flags {
		if _, err := fmt.Fprintf(e.stdout, "complete -c collimator -n '%s' -l %s -d %s\n", condition, f.Name, fishQuote(f.Help)); err != nil {
			return err
		}
	}
	return nil
}

// fishQuote quotes for fish, which expands variables between double quotes.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
