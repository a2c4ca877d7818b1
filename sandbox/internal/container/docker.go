package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/sandbox/internal/child"
	"github.com/streamgauge/streamgauge/sandbox/internal/tail"
)

// answerTimeout is how long the engine may take to answer a plain question.
const answerTimeout = 10 * time.Second

// docker runs one docker command and returns what it prints. Its environment
// is this process's plus env.
func docker(ctx context.Context, env []string, args ...string) (string, error) {
	var out, talk bytes.Buffer
	if err := run(ctx, env, &out, &talk, args...); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fmt.Errorf("docker %s: %w%s", args[0], err, tail.Lines(talk.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

func run(ctx context.Context, env []string, stdout, stderr io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	p, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		return err
	}
	return p.Wait()
}

// logs are the last lines that a container wrote, to either of its outputs.
func logs(ctx context.Context, name string) string {
	var said tail.Buffer
	if err := run(ctx, nil, &said, &said, "logs", "--tail", "20", name); err != nil {
		return ""
	}
	return tail.Lines(said.String())
}

// Available returns nil when a Docker engine answers, else ErrUnavailable with
// the reason.
func Available(ctx context.Context) error {
	if _, err := exec.LookPath("docker"); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	answer, cancel := context.WithTimeoutCause(ctx, answerTimeout, errors.New("the engine does not answer"))
	defer cancel()
	if _, err := docker(answer, nil, "version", "--format", "{{.Server.Version}}"); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}
