package signer

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"docaxis/proto/axispb"
)

// child is a signer process that said hello. One goroutine uses it at a time.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.ReadCloser
	// frames come from the reader, which closes it when nothing more comes.
	frames chan []byte
	// nonsense: it said what is no frame; set before frames is closed.
	nonsense bool
	// quit tells the reader that nobody listens.
	quit chan struct{}
	// ended is closed when the process was waited for.
	ended  chan struct{}
	number uint64
}

// greeting is a hello that was read.
type greeting struct {
	public       crypto.PublicKey
	certificates []*x509.Certificate
}

// start runs a signer and hears what it says first. What a module prints is dropped:
// some print the bytes that go to the token, and with them its PIN.
func start(program string, args []string, patience time.Duration) (*child, greeting, error) {
	c := &child{cmd: exec.Command(program, args...), frames: make(chan []byte), quit: make(chan struct{}), ended: make(chan struct{})}
	if err := c.run(); err != nil {
		return nil, greeting{}, Problemf(axispb.SignerFault_SIGNER_FAULT_PROGRAM, err.Error())
	}
	frame, err := c.next(patience)
	if err != nil {
		c.stop(0)
		return nil, greeting{}, c.strange(err)
	}
	g, err := readHello(frame)
	if err != nil {
		c.stop(0)
		return nil, greeting{}, err
	}
	return c, g, nil
}

func (c *child) run() (err error) {
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	if c.out, err = c.cmd.StdoutPipe(); err != nil {
		return err
	}
	if err = c.cmd.Start(); err != nil {
		return err
	}
	go c.read()
	return nil
}

// read passes frames on until the process ends, says what is none, or nobody listens.
func (c *child) read() {
	defer close(c.ended)
	for {
		frame, err := readFrame(c.out)
		if err != nil {
			c.nonsense = errors.Is(err, errFrame)
			break
		}
		select {
		case c.frames <- frame:
			continue
		case <-c.quit:
		}
		break
	}
	close(c.frames)
	_ = c.cmd.Wait() // ProcessState says how it ended
}

// next waits for a frame.
func (c *child) next(patience time.Duration) ([]byte, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case frame, open := <-c.frames:
		if !open {
			return nil, c.died()
		}
		return frame, nil
	case <-timer.C:
		return nil, Problemf(axispb.SignerFault_SIGNER_FAULT_HUNG, patience.String())
	}
}

// died says how it ended. One that closed its output and lives on is ended.
func (c *child) died() *Problem {
	c.stop(closeGrace)
	return Problemf(axispb.SignerFault_SIGNER_FAULT_DIED, c.cmd.ProcessState.String())
}

// strange tells a signer that died from a program that is none: that one says something
// else first, or ends by itself, with a code.
func (c *child) strange(err error) error {
	state := c.cmd.ProcessState
	if p := ProblemOf(err); p != nil && p.Fault == axispb.SignerFault_SIGNER_FAULT_DIED && (c.nonsense || state.Exited()) {
		return Problemf(axispb.SignerFault_SIGNER_FAULT_PROGRAM, c.cmd.Path+": "+state.String())
	}
	return err
}

// stop ends the process: by ending its input, and where it has not ended after grace,
// by killing it.
func (c *child) stop(grace time.Duration) {
	select {
	case <-c.quit:
	default:
		close(c.quit)
	}
	_ = c.in.Close()
	if grace > 0 {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-c.ended:
			return
		case <-timer.C:
		}
	}
	_ = c.cmd.Process.Kill() // it may have ended
	_ = c.out.Close()        // whatever it started may hold the other end
	<-c.ended
}

// ask sends a request and waits for its answer. After an error that is not the key's
// or the request's, the child is of no use any more.
func (c *child) ask(r *axispb.SignerRequest, patience time.Duration) ([]byte, error) {
	c.number++
	r.Number = c.number
	if err := writeMessage(c.in, r); err != nil {
		return nil, c.died()
	}
	frame, err := c.next(patience)
	if err != nil {
		return nil, err
	}
	var a axispb.SignerAnswer
	if err := parse(frame, &a); err != nil {
		return nil, Problemf(axispb.SignerFault_SIGNER_FAULT_BAD_ANSWER, err.Error())
	}
	if a.Problem != nil {
		return nil, heard(a.Problem)
	}
	if a.Number != r.Number {
		return nil, Problemf(axispb.SignerFault_SIGNER_FAULT_BAD_ANSWER, fmt.Sprintf("answer %d to request %d", a.Number, r.Number))
	}
	return a.Signature, nil
}

func heard(p *axispb.SignerProblem) *Problem { return Problemf(p.Fault, p.Detail) }

func readHello(frame []byte) (g greeting, err error) {
	var h axispb.SignerHello
	if err := parse(frame, &h); err != nil {
		return g, Problemf(axispb.SignerFault_SIGNER_FAULT_PROGRAM, err.Error())
	}
	switch {
	case h.Version != version:
		return g, Problemf(axispb.SignerFault_SIGNER_FAULT_PROGRAM, fmt.Sprintf("version %d, not %d", h.Version, version))
	case h.Problem != nil:
		return g, heard(h.Problem)
	case len(h.Certificates) > maxCertificates:
		return g, Problemf(axispb.SignerFault_SIGNER_FAULT_PROGRAM, fmt.Sprintf("%d certificates", len(h.Certificates)))
	}
	if g.public, err = x509.ParsePKIXPublicKey(h.PublicKey); err != nil {
		return g, Problemf(axispb.SignerFault_SIGNER_FAULT_UNSUPPORTED, err.Error())
	}
	for _, der := range h.Certificates {
		// One that this program cannot read may be another key's; where it is this
		// one's, there will be no chain, and that is said.
		if cert, err := x509.ParseCertificate(der); err == nil {
			g.certificates = append(g.certificates, cert)
		}
	}
	return g, nil
}

// usable reports whether a child that gave this error may be asked again.
func usable(err error) bool {
	var p *Problem
	return errors.As(err, &p) && (p.Fault == axispb.SignerFault_SIGNER_FAULT_UNSUPPORTED || p.Fault == axispb.SignerFault_SIGNER_FAULT_MALFORMED)
}
