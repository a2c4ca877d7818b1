// The recording command records the programs at work: it types commands into two
// terminals with real servers behind them, and writes what they show as an
// asciicast, and as an animated picture for the README. All of it is the same
// each time but for times and rates.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/tests/checkout"
	"github.com/streamgauge/streamgauge/tests/recording/cast"
	"github.com/streamgauge/streamgauge/tests/recording/svg"
)

const (
	title       = "streamgauge"
	description = "Two terminals. In one the producer loads files, with a bar, and says when every row is committed; in the other a " +
		"subscriber prints the running statistics with each commit. Then consumer stats shows them beside the database's own."
	// endGrace is how long servers and consumer have to end.
	endGrace = 15 * time.Second
)

func main() {
	out := flag.String("o", filepath.Join("docs", "recording"), "write `NAME`.cast and NAME.svg")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := record(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, "recording:", err)
		os.Exit(1) //nolint:gocritic // stop has nothing left to do
	}
}

func record(ctx context.Context, out string) error {
	root, err := checkout.Root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "streamgauge-recording-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"bin", "sandbox"} {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	env, end, err := servers(ctx, dir)
	if err != nil {
		return err
	}
	frames, err := play(ctx, dir, env)
	if err := errors.Join(err, end()); err != nil {
		return err
	}
	length := frames[len(frames)-1].At + lastFrame
	if err := write(out+".cast", func(f *os.File) error { return cast.Write(f, title, frames) }); err != nil {
		return err
	}
	return write(out+".svg", func(f *os.File) error { return svg.Write(f, title, description, frames, length) })
}

// servers starts the sandbox and a consumer, out of sight. It returns the
// environment of who is to use them, and what ends both.
func servers(ctx context.Context, dir string) (env []string, end func() error, err error) {
	sandbox := exec.Command("bin/sandbox", "--output", "json")
	sandbox.Dir, sandbox.Stderr = dir, os.Stderr
	stdout, err := sandbox.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := sandbox.Start(); err != nil {
		return nil, nil, fmt.Errorf("%w: run 'make build nats' first", err)
	}
	stop := func() error { return terminate(sandbox) }
	var addresses struct {
		NATSURL     string `json:"nats_url"`
		DatabaseURL string `json:"database_url"`
	}
	if err := json.NewDecoder(stdout).Decode(&addresses); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("the sandbox's addresses: %w", err), stop())
	}
	env = append(os.Environ(), "NATS_URL="+addresses.NATSURL, "DATABASE_URL="+addresses.DatabaseURL)
	generate := exec.CommandContext(ctx, "bin/sandbox", "gen", "--rows", "1000000", "--seed", "42", "--output", "big.csv")
	generate.Dir = dir
	if out, err := generate.CombinedOutput(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%w\n%s", err, out), stop())
	}
	consumer := exec.Command("bin/consumer")
	consumer.Dir, consumer.Env = dir, env
	if err := consumer.Start(); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return env, func() error { return errors.Join(terminate(consumer), stop()) }, nil
}

func terminate(cmd *exec.Cmd) error {
	timer := time.AfterFunc(endGrace, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return cmd.Wait()
}

func write(name string, content func(*os.File) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := errors.Join(content(f), f.Close()); err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d kB\n", name, (info.Size()+999)/1000)
	return nil
}
