// Package completion writes scripts by which a shell completes the command line: they
// know every command and flag of the model they are made of. For an argument with the
// tag completes they run the command that it names, which prints a word a line.
package completion

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Write writes the script of a shell: bash, zsh or fish.
func Write(w io.Writer, shell string, root *kong.Node) error {
	if shell == "fish" {
		return fish(w, root, nil)
	}

	var table strings.Builder
	words(&table, root, nil)

	script := bashCompletion
	if shell == "zsh" {
		script = "autoload -U +X bashcompinit && bashcompinit\n" + bashCompletion
	}

	_, err := fmt.Fprintf(w, script, table.String())
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

	names := ""
	if command := namesCommand(n); command != "" {
		names = fmt.Sprintf(" names=%q", command)
	}
	fmt.Fprintf(b, "    %q) words=%q%s ;;\n", strings.Join(path, " "), strings.Join(next, " "), names)

	for _, child := range n.Children {
		words(b, child, append(path[:len(path):len(path)], child.Name))
	}
}

// namesCommand is the command that lists what an argument of another can be; empty where
// none does.
func namesCommand(n *kong.Node) string {
	for _, p := range n.Positional {
		if command := p.Tag.Get("completes"); command != "" {
			return command
		}
	}
	return ""
}

// In bash the words of COMP_WORDS are parted at =, too. What a program prints is compared
// and never expanded.
const bashCompletion = `_collimator_names() {
  local i w name data=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
    --data=*|--config=*) data+=("${COMP_WORDS[i]}") ;;
    --data|--config)
      w="${COMP_WORDS[i+1]}"
      [ "$w" = = ] && w="${COMP_WORDS[i+2]}"
      data+=("${COMP_WORDS[i]}" "$w") ;;
    esac
  done
  COMPREPLY=()
  while IFS= read -r name; do
    case "$name" in "$cur"*) COMPREPLY+=("$name") ;; esac
  done < <("${COMP_WORDS[0]}" $names "${data[@]}" 2>/dev/null)
}
_collimator() {
  local words= names= path= w cur="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
  for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$w" in -*) ;; *) path="${path:+$path }$w" ;; esac
  done
  while :; do
    case "$path" in
%s    *) if [ -n "$path" ]; then case "$path" in *" "*) path="${path%% *}" ;; *) path= ;; esac; continue; fi ;;
    esac
    break
  done
  case "$cur" in
    -*) ;;
    *) case "$before" in -*|=) names= ;; esac
       [ -n "$names" ] && { _collimator_names; return; }
       [ "${words#--}" != "$words" ] && { COMPREPLY=($(compgen -f -- "$cur")); return; } ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o filenames -F _collimator collimator
`

func fish(w io.Writer, n *kong.Node, path []string) error {
	condition := "__fish_use_subcommand"
	if len(path) > 0 {
		condition = "__fish_seen_subcommand_from " + path[len(path)-1]
	}

	for _, child := range n.Children {
		_, err := fmt.Fprintf(w, "complete -c collimator -n '%s' -f -a %s -d %s\n",
			condition, child.Name, fishQuote(child.Help))
		if err != nil {
			return err
		}

		if err := fish(w, child, append(path[:len(path):len(path)], child.Name)); err != nil {
			return err
		}
	}

	if command := namesCommand(n); command != "" {
		_, err := fmt.Fprintf(w, "complete -c collimator -n %s -f -a '(collimator %s 2>/dev/null)'\n", fishQuote(within(path)), command)
		if err != nil {
			return err
		}
	}

	for _, f := range n.Flags {
		_, err := fmt.Fprintf(w, "complete -c collimator -n '%s' -l %s -d %s\n", condition, f.Name, fishQuote(f.Help))
		if err != nil {
			return err
		}
	}
	return nil
}

// within is the condition that all the words of a command stand there: several commands
// have a word such as list.
func within(path []string) string {
	var words []string
	for _, word := range path {
		words = append(words, "__fish_seen_subcommand_from "+word)
	}
	return strings.Join(words, "; and ")
}

// fishQuote quotes for fish, which expands variables between double quotes.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
