package standin

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	serverModule = "github.com/nats-io/nats-server/v2"
	wgetPackage  = "github.com/streamgauge/streamgauge/tests/images/standin/wget"
)

//go:embed wget/main.go
var wgetSource string

// NATS stands in for nats:…-alpine: nats-server as the entry point, so that a
// command of flags works in both, running as root like the official one, and
// wget for the health check. Root is the checkout, which pins the version.
func NATS(root string) Image {
	return Image{
		name: "nats",
		inputs: func(ctx context.Context, arch string) (string, error) {
			version, err := serverVersion(ctx, root)
			if err != nil {
				return "", err
			}
			return strings.Join([]string{version, runtime.Version(), arch, wgetSource}, "\n"), nil
		},
		rootfs: func(ctx context.Context, arch string) (*Tree, func(), error) {
			server, err := NATSServer(ctx, root, "linux", arch)
			if err != nil {
				return nil, nil, err
			}
			scratch, err := os.MkdirTemp("", "streamgauge-standin-")
			if err != nil {
				return nil, nil, err
			}
			cleanup := func() { _ = os.RemoveAll(scratch) }
			wget := filepath.Join(scratch, "wget")
			if err := goBuild(ctx, root, "linux", arch, wget, wgetPackage); err != nil {
				cleanup()
				return nil, nil, err
			}
			files := new(Tree)
			files.Dir("/tmp", 0o777|os.ModeSticky, 0)
			files.Dir("/data", 0o755, 0)
			for name, source := range map[string]string{
				"/usr/local/bin/nats-server": server,
				"/usr/local/bin/wget":        wget,
			} {
				if err := files.File(name, source); err != nil {
					cleanup()
					return nil, nil, err
				}
			}
			return files, cleanup, nil
		},
		config: func() []string {
			return []string{
				`ENV PATH=/usr/local/bin`,
				`EXPOSE 4222 8222 6222`,
				`ENTRYPOINT ["nats-server"]`,
			}
		},
	}
}

// NATSServer returns the path of a statically linked nats-server of the
// version that the checkout at root requires, built on first use and kept in
// the user's cache.
func NATSServer(ctx context.Context, root, goos, goarch string) (string, error) {
	version, err := serverVersion(ctx, root)
	if err != nil {
		return "", err
	}
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	name := strings.Join([]string{"nats-server", version, goos, goarch, runtime.Version()}, "-")
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	unlock, err := lock(name)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	// Built beside and renamed, so that the name never holds half a binary.
	unfinished := path + ".unfinished"
	if err := goBuild(ctx, root, goos, goarch, unfinished, serverModule); err != nil {
		return "", err
	}
	return path, os.Rename(unfinished, path)
}

func serverVersion(ctx context.Context, root string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", serverModule)
	cmd.Dir, cmd.Env = root, append(os.Environ(), workspace(root))
	out, err := cmd.Output()
	if err != nil {
		return "", commandError(cmd, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// workspace makes the go command use the checkout's workspace, whatever GOWORK
// says outside.
func workspace(root string) string { return "GOWORK=" + filepath.Join(root, "go.work") }

func goBuild(ctx context.Context, root, goos, goarch, output, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", output, pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, workspace(root))
	if _, err := cmd.Output(); err != nil {
		return commandError(cmd, err)
	}
	return nil
}

// commandError adds what a failed command said to its error.
func commandError(cmd *exec.Cmd, err error) error {
	said := ""
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		said = "\n" + strings.TrimSpace(string(exit.Stderr))
	}
	return fmt.Errorf("%s: %w%s", strings.Join(cmd.Args, " "), err, said)
}
