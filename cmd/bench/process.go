package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// stopWithin is how long a process may take to end by itself.
const stopWithin = 20 * time.Second

// roleVariable tells a test's executable that it is a role, and no test.
const roleVariable = "DOCAXIS_BENCH_ROLE"

// process is a role under way.
type process struct {
	name  string
	cmd   *exec.Cmd
	input io.Closer
	log   string     // path of what it says on standard error
	ended chan error // its outcome, once; then closed
}

// start runs this executable in a role, and waits until it serves.
func start(ctx context.Context, name, log string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	errs, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer errs.Close()
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+name)
	cmd.Stderr = errs
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, input: input, log: log, ended: make(chan error, 1)}
	line, _ := bufio.NewReader(output).ReadString('\n')
	go func() {
		p.ended <- cmd.Wait()
		close(p.ended)
	}()
	if strings.TrimSpace(line) != ready {
		return nil, p.said(fmt.Errorf("%s did not start (%w)", name, p.stop()))
	}
	return p, nil
}

// stop ends the process as a person would, and by force where it does not end. What has
// been stopped is left as it is.
func (p *process) stop() error {
	p.input.Close() //nolint:errcheck // it has ended already, then
	select {
	case err := <-p.ended:
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		return nil
	case <-time.After(stopWithin):
		return errors.Join(fmt.Errorf("%s does not end", p.name), p.cmd.Process.Kill(), <-p.ended)
	}
}

// kill ends the process as kill -9 does.
func (p *process) kill() error {
	p.input.Close() //nolint:errcheck // nobody reads it any more
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	<-p.ended
	return nil
}

// said adds the end of what the process said to an error.
func (p *process) said(err error) error {
	data, readErr := os.ReadFile(p.log)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	return fmt.Errorf("%w\n%s", err, data[max(0, len(data)-2000):])
}
