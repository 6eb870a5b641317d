// Command endpoint runs the agent beside a document-management system and the
// clerk's commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"docaxis/cmd/endpoint/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(command.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
