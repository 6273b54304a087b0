package main

import (
	"github.com/alecthomas/kong"

	"collimator/internal/completion"
)

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

func (completionCmd) Help() string {
	return "Example:\n  collimator completion bash > /etc/bash_completion.d/collimator"
}

// Run prints a script that knows every command and flag of this very binary.
func (c *completionCmd) Run(e *env, ctx *kong.Context) error {
	return completion.Write(e.stdout, c.Shell, ctx.Model.Node)
}
