// Command signer signs with a key in a PKCS#11 token for another program, and sets
// tokens up. It alone is built with cgo.
package main

import (
	"context"
	"os"

	"docaxis/cmd/signer/command"
)

func main() {
	os.Exit(command.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
