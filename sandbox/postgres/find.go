package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// Binaries is a folder with PostgreSQL's server binaries.
type Binaries struct {
	Dir          string
	Version      string // as the server gives it, "15.14" for one
	major, minor int
}

// packaged are the folders where packages put each version's own binaries:
// Debian's and PGDG's, PGDG's for Red Hat, Homebrew's on Apple silicon and on
// Intel, Linuxbrew's, Postgres.app's.
var packaged = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// Find returns the binaries of the highest version that runs on this machine:
// from PATH and the folders where packages put them. The error is ErrNotFound
// when there are none.
func Find(ctx context.Context) (Binaries, error) {
	user, err := unprivileged()
	if err != nil {
		return Binaries{}, err
	}
	return find(ctx, "", 0, user)
}

// find looks in binDir, or where packages install when that is "". Binaries
// count when they run as the user that the server will run as. Unless major is
// 0, only that major version will do: another can't read the cluster.
func find(ctx context.Context, binDir string, major int, user *account) (Binaries, error) {
	dirs := candidates()
	if binDir != "" {
		dirs = []string{binDir}
	}
	var found []Binaries
	var failed error
	for _, dir := range dirs {
		b, err := inspect(ctx, dir, user)
		switch {
		case err == nil:
			found = append(found, b)
		case errors.Is(err, os.ErrNotExist):
			// Debian's folder of a client-only package.
		default:
			failed = errors.Join(failed, err)
		}
	}
	if len(found) == 0 {
		if failed != nil {
			return Binaries{}, fmt.Errorf("%w that run: %w", ErrNotFound, failed)
		}
		if binDir != "" {
			return Binaries{}, fmt.Errorf("%w in %s", ErrNotFound, binDir)
		}
		return Binaries{}, ErrNotFound
	}
	newest := slices.MaxFunc(found, func(a, b Binaries) int {
		if a.major != b.major {
			return a.major - b.major
		}
		return a.minor - b.minor
	})
	if major == 0 || newest.major == major {
		return newest, nil
	}
	i := slices.IndexFunc(found, func(b Binaries) bool { return b.major == major })
	if i < 0 {
		return Binaries{}, fmt.Errorf("the folder holds a cluster of PostgreSQL %d, but the binaries here are of %s: install that version or use another folder", major, newest.Version)
	}
	return found[i], nil
}

// candidates are existing folders, PATH's first, each once however it is
// spelled or linked.
func candidates() []string {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	for _, pattern := range packaged {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			panic(err) // a pattern above is malformed
		}
		dirs = append(dirs, matches...)
	}
	seen := map[string]bool{}
	var out []string
	for _, dir := range dirs {
		// Folders on PATH often hold links to where a package really is.
		server, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
		if err != nil {
			continue
		}
		home := filepath.Dir(server)
		if !filepath.IsAbs(home) || seen[home] {
			continue
		}
		seen[home] = true
		out = append(out, home)
	}
	return out
}

// number matches "postgres (PostgreSQL) 15.14 (Debian …)", "9.6.24", "18beta1".
var number = regexp.MustCompile(`\(PostgreSQL\) ((\d+)(?:\.(\d+))?\S*)`)

func inspect(ctx context.Context, dir string, user *account) (Binaries, error) {
	var version []string
	for _, name := range []string{"postgres", "initdb"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			return Binaries{}, err
		}
		cmd := exec.CommandContext(ctx, path, "--version")
		cmd.Dir = "/"
		cmd.Env = environment()
		cmd.SysProcAttr = user.attributes()
		out, err := cmd.Output()
		if err != nil {
			return Binaries{}, fmt.Errorf("%s --version%s: %w", path, user.suffix(), err)
		}
		m := number.FindStringSubmatch(string(out))
		if m == nil {
			return Binaries{}, fmt.Errorf("%s --version said %q", path, out)
		}
		if version != nil && m[1] != version[1] {
			return Binaries{}, fmt.Errorf("%s has postgres %s but initdb %s", dir, version[1], m[1])
		}
		version = m
	}
	b := Binaries{Dir: dir, Version: version[1]}
	b.major, _ = strconv.Atoi(version[2])
	b.minor, _ = strconv.Atoi(version[3])
	return b, nil
}
