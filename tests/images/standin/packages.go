package standin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// wanted are the Debian packages that, with what they depend on, hold the
// files of the PostgreSQL stand-in. The package postgresql depends on the
// distribution's version of the server.
var wanted = []string{"postgresql", "tzdata", "dash", "libc-bin"}

// packages lists the wanted packages and all they depend on, by name, as apt
// knows them. Only a Debian-like machine of the engine's architecture has
// them to offer.
func packages(ctx context.Context, arch string) ([]string, error) {
	if !sameMachine(arch) {
		return nil, fmt.Errorf("this machine is %s/%s and the engine's containers are linux/%s: %w",
			runtime.GOOS, runtime.GOARCH, arch, errNoPostgres)
	}
	for _, tool := range []string{"apt-cache", "apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%w on this machine, and no %s to download Debian's", errNoPostgres, tool)
		}
	}
	args := append([]string{
		"depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
		"--no-breaks", "--no-replaces", "--no-enhances",
	}, wanted...)
	cmd := exec.CommandContext(ctx, "apt-cache", args...)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w (are the package lists there? apt-get update fetches them)", commandError(cmd, err))
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		// Dependencies are indented; <…> is a virtual package.
		if name := strings.TrimSpace(line); !strings.ContainsAny(line[:1], " |<") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, errors.New("apt knows no PostgreSQL package: run apt-get update first")
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// packagesDigest identifies the versions of the packages that would be
// downloaded.
func packagesDigest(ctx context.Context, arch string) (string, error) {
	names, err := packages(ctx, arch)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "apt-cache", append([]string{"policy"}, names...)...)
	out, err := cmd.Output()
	if err != nil {
		return "", commandError(cmd, err)
	}
	sum := sha256.New()
	fmt.Fprintln(sum, postgresEntrypoint)
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, " ") || strings.Contains(line, "Candidate:") {
			fmt.Fprintln(sum, strings.TrimSpace(line))
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// unpackPackages downloads the packages and unpacks them, without installing
// anything, into a new folder that cleanup removes.
func unpackPackages(ctx context.Context, arch string) (root string, cleanup func(), err error) {
	names, err := packages(ctx, arch)
	if err != nil {
		return "", nil, err
	}
	scratch, err := os.MkdirTemp("", "streamgauge-standin-")
	if err != nil {
		return "", nil, err
	}
	cleanup = func() { _ = os.RemoveAll(scratch) }
	defer func() {
		if err != nil {
			cleanup()
		}
	}()
	downloads, root := filepath.Join(scratch, "debs"), filepath.Join(scratch, "root")
	// apt downloads as its own user, which must be able to write there.
	if err := os.Chmod(scratch, 0o755); err != nil {
		return "", nil, err
	}
	if err := os.Mkdir(downloads, 0o777); err != nil {
		return "", nil, err
	}
	if err := os.Chmod(downloads, 0o777); err != nil {
		return "", nil, err
	}
	get := exec.CommandContext(ctx, "apt-get", append([]string{"download", "--quiet"}, names...)...)
	get.Dir = downloads
	if _, err := get.Output(); err != nil {
		return "", nil, commandError(get, err)
	}
	debs, err := filepath.Glob(filepath.Join(downloads, "*.deb"))
	if err != nil {
		return "", nil, err
	}
	for _, deb := range debs {
		unpack := exec.CommandContext(ctx, "dpkg-deb", "--extract", deb, root)
		if _, err := unpack.Output(); err != nil {
			return "", nil, commandError(unpack, err)
		}
	}
	return root, cleanup, nil
}
