package command

import (
	"testing"

	"docaxis/internal/cli/clitest"
)

func TestHelpIsInBothLanguages(t *testing.T) { clitest.Help(t, program(new(grammar))) }
