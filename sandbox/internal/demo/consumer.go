package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/internal/child"
	"github.com/streamgauge/streamgauge/sandbox/internal/tail"
)

const (
	readyTimeout = 30 * time.Second
	stopGrace    = 10 * time.Second // the consumer ends within 5 s of SIGTERM
)

// ready is the word that the consumer logs once it takes in messages.
var ready = regexp.MustCompile(`\bready\b`)

// consumer is the built consumer as a child.
type consumer struct {
	proc *child.Process
	talk *tail.Buffer
}

// startConsumer returns once the consumer takes in messages.
func startConsumer(ctx context.Context, path string, arguments, env []string) (*consumer, error) {
	cmd := exec.Command(path, arguments...)
	cmd.Env = env
	read, write := io.Pipe()
	c := &consumer{talk: &tail.Buffer{}}
	cmd.Stdout, cmd.Stderr = c.talk, io.MultiWriter(c.talk, write)
	// The word may come at any time, and nothing may ever block the consumer.
	said := make(chan struct{})
	go func() {
		lines := bufio.NewReader(read)
		for told := false; ; {
			line, err := lines.ReadSlice('\n')
			if !told && ready.Match(line) {
				close(said)
				told = true
			}
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return
			}
		}
	}()
	proc, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	c.proc = proc
	go func() {
		<-proc.Done()
		_ = write.Close()
	}()

	timer := time.NewTimer(readyTimeout)
	defer timer.Stop()
	select {
	case <-said:
		return c, nil
	case <-proc.Done():
		return nil, c.died()
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), c.stop())
	case <-timer.C:
		return nil, errors.Join(fmt.Errorf("the consumer was not ready after %s%s", readyTimeout, tail.Lines(c.talk.String())), c.stop())
	}
}

// died says why the consumer, which must have, ended.
func (c *consumer) died() error {
	return fmt.Errorf("the consumer ended: %s%s", c.proc.State(), tail.Lines(c.talk.String()))
}

// stop ends it in order. Having ended by itself before is no error here.
func (c *consumer) stop() error { return c.proc.Stop(stopGrace, syscall.SIGTERM) }
