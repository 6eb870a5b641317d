// Command endpoint runs the agent beside a document-management system and the
// clerk's commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"docaxis/cmd/endpoint/command"
	"docaxis/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cli.CollectSeldom()
	os.Exit(command.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
