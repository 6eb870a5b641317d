package rounds_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	axis "docaxis/cmd/axis/command"
	endpoint "docaxis/cmd/endpoint/command"
)

// programVariable makes the test binary the program that it names: what runs then is
// what the program's own main runs, and nothing of the tests.
const programVariable = "DOCAXIS_TEST_PROGRAM"

func TestMain(m *testing.M) {
	switch os.Getenv(programVariable) {
	case "axis":
		os.Exit(untilInputEnds(axis.Run))
	case "endpoint":
		os.Exit(untilInputEnds(endpoint.Run))
	}
	os.Exit(m.Run())
}

// untilInputEnds runs a program, which is told to stop by the end of its input: so it
// also ends with the test that started it.
func untilInputEnds(run func(context.Context, []string, io.Writer, io.Writer) int) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // its end is what counts
		cancel()
		<-time.After(20 * time.Second)
		fmt.Fprintln(os.Stderr, "panic: it was told to stop, and does not")
		os.Exit(1)
	}()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// process is a program over its folder, which is started again whenever it ends, as a
// service manager does.
type process struct {
	name, dir, log string

	mu     sync.Mutex
	wanted bool
	cmd    *exec.Cmd
	input  io.Closer
	starts int
	ended  chan struct{} // closed when it is not wanted and has ended
}

// restartPause is how long a service manager waits.
const restartPause = 50 * time.Millisecond

// start runs the program until stop or kill for good. The first time it runs under
// the command given, if any.
func (p *process) start(under ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted, p.ended = true, make(chan struct{})
	go p.keep(under, p.ended)
}

func (p *process) keep(under []string, ended chan struct{}) {
	defer close(ended)
	for {
		cmd, err := p.launch(under)
		if cmd == nil && err == nil {
			return
		}
		under = nil
		if err == nil {
			err = cmd.Wait()
		}
		p.note("-- ended: %v", err)
		<-time.After(restartPause)
	}
}

// launch starts the program once; nil where it is not wanted any more.
func (p *process) launch(under []string) (*exec.Cmd, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.wanted {
		return nil, nil
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := append(append([]string{}, under...), os.Args[0], "serve", "--dir", p.dir)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), programVariable+"="+p.name, "DOCAXIS_LANG=en")
	cmd.Stdout, cmd.Stderr = log, log
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p.cmd, p.input = cmd, input
	p.starts++
	return cmd, nil
}

// kill ends the process as it stands, without a word to it; it is started again.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		p.cmd.Process.Kill() //nolint:errcheck // it may have ended by itself
	}
}

// end ends the process for good: killed, or asked to stop.
func (p *process) end(killed bool) {
	p.mu.Lock()
	p.wanted = false
	ended := p.ended
	if p.cmd != nil && !killed {
		p.input.Close() //nolint:errcheck // it may have ended by itself
	}
	p.mu.Unlock()
	if killed {
		p.kill()
	}
	if ended != nil {
		<-ended
	}
}

func (p *process) started() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.starts
}

// straced is where strace writes, of the first process of a round.
func (p *process) straced() string { return p.log + ".strace" }

// injected reports whether strace did what it was told to: it makes a note of every
// error, and of a death at a call, which is the last thing that it has to tell.
func (p *process) injected() bool {
	text, err := os.ReadFile(p.straced())
	return err == nil && (bytes.Contains(text, []byte("(INJECTED)")) || bytes.Contains(text, []byte("+++ killed by SIGKILL +++")))
}

// note writes into the process's log.
func (p *process) note(format string, args ...any) {
	f, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	fmt.Fprintf(f, format+"\n", args...)
	f.Close() //nolint:errcheck // it is for people
}

// died says what no process may ever say: that it ended by a panic, or in a race.
func (p *process) died() error {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err
	}
	for _, sign := range []string{"panic: ", "fatal error: ", "DATA RACE", "unexpected fault address"} {
		if i := bytes.Index(text, []byte(sign)); i >= 0 {
			return fmt.Errorf("%s: %.3000s", filepath.Base(p.dir), text[i:])
		}
	}
	return nil
}
