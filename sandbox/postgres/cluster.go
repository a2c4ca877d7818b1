package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/streamgauge/streamgauge/sandbox/internal/child"
	"github.com/streamgauge/streamgauge/sandbox/internal/rundir"
	"github.com/streamgauge/streamgauge/sandbox/internal/tail"
)

// cluster is the data folder of a server and what belongs to it.
type cluster struct {
	dir   *rundir.Dir
	temp  bool
	data  string
	major int      // of the version that made it, 0 = not made yet
	user  *account // whose it is or will be
}

// dataDir is the cluster's in a Config's Dir.
const dataDir = "data"

// Made says whether a cluster that Start made is in the folder, a Config's Dir.
func Made(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, dataDir))
	return err == nil
}

func openCluster(dir *rundir.Dir, temp bool) (*cluster, error) {
	c := &cluster{dir: dir, temp: temp, data: dir.Path(dataDir)}
	info, err := os.Stat(c.data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.user, err = unprivileged()
	case err == nil:
		c.user = owner(info)
		c.major, err = madeBy(c.data)
	}
	if err != nil {
		return nil, err
	}
	return c, c.user.enters(dir.Path())
}

// madeBy is the major version that made the cluster on the data folder.
func madeBy(data string) (int, error) {
	b, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return 0, fmt.Errorf("%s is no cluster of a sandbox: %w", data, err)
	}
	// "15", or "9.6" of the versions before 10.
	first, _, _ := strings.Cut(strings.TrimSpace(string(b)), ".")
	major, err := strconv.Atoi(first)
	if err != nil {
		return 0, fmt.Errorf("%s/PG_VERSION holds %q", data, b)
	}
	return major, nil
}

// prepare makes the cluster if it does not exist, and returns its password.
func (c *cluster) prepare(ctx context.Context, bin Binaries) (string, error) {
	secret := c.dir.Path("password")
	if c.major != 0 {
		b, err := os.ReadFile(secret)
		if err != nil {
			return "", fmt.Errorf("password of the kept cluster: %w", err)
		}
		return strings.TrimSpace(string(b)), nil
	}

	// Made beside its final name: a run killed here leaves no half a cluster.
	partial := c.data + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return "", err
	}
	if err := os.Mkdir(partial, 0o700); err != nil {
		return "", err
	}
	password := rand.Text()
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return "", err
	}
	if err := errors.Join(c.user.give(partial), c.user.give(secret)); err != nil {
		return "", err
	}

	args := []string{
		"-D", partial, "-U", superuser, "--pwfile", secret,
		"--auth=scram-sha-256", "--locale=C", "--encoding=UTF8",
	}
	if c.temp {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin.Dir, "initdb"), args...)
	cmd.Dir = c.dir.Path()
	cmd.Env = environment()
	cmd.SysProcAttr = c.user.attributes()
	// initdb runs the server as a child of its own, in the same group.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		return "", fmt.Errorf("initdb%s: %w", c.user.suffix(), err)
	}
	if err := p.Wait(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("initdb%s: %w%s", c.user.suffix(), err, tail.Lines(out.String()))
	}
	return password, os.Rename(partial, c.data)
}
