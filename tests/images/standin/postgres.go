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
	"strconv"
	"strings"
)

// postgresUID is the official Alpine image's user postgres.
const postgresUID = 70

//go:embed postgres-entrypoint.sh
var postgresEntrypoint string

// errNoPostgres says that a file system holds no PostgreSQL server.
var errNoPostgres = errors.New("no PostgreSQL server binaries")

// Postgres stands in for postgres:…-alpine: the server, its client programs
// and a shell from this machine, else from Debian's packages, in an image that
// reads POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB, keeps its data in the
// volume /var/lib/postgresql/data and runs as uid 70.
func Postgres() Image {
	return Image{
		name: "postgres",
		inputs: func(ctx context.Context, arch string) (string, error) {
			if sameMachine(arch) {
				files, err := postgresTree(ctx, "/")
				if err == nil {
					return files.Digest()
				}
				if !errors.Is(err, errNoPostgres) {
					return "", err
				}
			}
			return packagesDigest(ctx, arch)
		},
		rootfs: func(ctx context.Context, arch string) (*Tree, func(), error) {
			if sameMachine(arch) {
				files, err := postgresTree(ctx, "/")
				if !errors.Is(err, errNoPostgres) {
					return files, func() {}, err
				}
			}
			root, cleanup, err := unpackPackages(ctx, arch)
			if err != nil {
				return nil, nil, err
			}
			files, err := postgresTree(ctx, root)
			if err != nil {
				cleanup()
				return nil, nil, err
			}
			return files, cleanup, nil
		},
		config: func() []string {
			return []string{
				`ENV PGDATA=/var/lib/postgresql/data`,
				`ENV LANG=C.UTF-8`,
				`EXPOSE 5432`,
				`VOLUME /var/lib/postgresql/data`,
				`USER ` + strconv.Itoa(postgresUID),
				`ENTRYPOINT ["/bin/sh", "/docker-entrypoint.sh"]`,
				`CMD ["postgres"]`,
			}
		},
	}
}

// sameMachine says whether this machine's binaries run in the engine's
// containers.
func sameMachine(arch string) bool { return runtime.GOOS == "linux" && runtime.GOARCH == arch }

// postgresTree gathers the image's files from the file system at root.
func postgresTree(ctx context.Context, root string) (*Tree, error) {
	server, err := findServer(root)
	if err != nil {
		return nil, err
	}
	files := new(Tree)
	linked := newLinker(root, files)
	for _, program := range []string{"postgres", "initdb", "pg_ctl", "pg_isready", "psql", "pg_dump"} {
		if err := linked.add(filepath.Join(server.bin, program)); err != nil {
			return nil, err
		}
	}
	if err := linked.add("/bin/sh"); err != nil {
		return nil, err
	}
	// Loaded by name: modules, and the resolver of an older glibc. The JIT
	// compiler is left out; the server does without when it is not there.
	modules, err := filepath.Glob(filepath.Join(root, server.lib, "*.so"))
	if err != nil {
		return nil, err
	}
	for _, module := range modules {
		if filepath.Base(module) == "llvmjit.so" {
			continue
		}
		if err := linked.add(filepath.Join(server.lib, filepath.Base(module))); err != nil {
			return nil, err
		}
	}
	for _, pattern := range []string{"/lib/*-linux-gnu*/libnss_files.so.2", "/usr/lib/locale/C.*/*", "/usr/lib/locale/C.*/*/*"} {
		if err := linked.addMatching(pattern); err != nil {
			return nil, err
		}
	}
	isManual := func(path string) bool { return filepath.Base(path) == "man" }
	if err := files.Files(server.share, filepath.Join(root, server.share), isManual); err != nil {
		return nil, err
	}
	if err := files.Files("/usr/share/zoneinfo", filepath.Join(root, "/usr/share/zoneinfo"), isCopyOfZones); err != nil {
		return nil, err
	}
	files.Content("/docker-entrypoint.sh", 0o755, strings.ReplaceAll(postgresEntrypoint, "@BINDIR@", server.bin))
	files.Content("/etc/passwd", 0o644, fmt.Sprintf("root:x:0:0:root:/:/bin/sh\npostgres:x:%d:%[1]d::/var/lib/postgresql:/bin/sh\n", postgresUID))
	files.Content("/etc/group", 0o644, fmt.Sprintf("root:x:0:\npostgres:x:%d:\n", postgresUID))
	files.Content("/etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n")
	files.Dir("/tmp", 0o777|os.ModeSticky, 0)
	files.Dir("/var/run/postgresql", 0o755, postgresUID)
	files.Dir("/var/lib/postgresql", 0o755, postgresUID)
	// An empty named volume takes over this folder's owner and mode.
	files.Dir("/var/lib/postgresql/data", 0o700, postgresUID)
	// Health checks call pg_isready by its bare name; wrappers spare the image
	// a PATH that depends on the version.
	for _, program := range []string{"pg_isready", "psql", "pg_dump", "postgres"} {
		files.Content("/usr/local/bin/"+program, 0o755, "#!/bin/sh\nexec "+filepath.Join(server.bin, program)+" \"$@\"\n")
	}
	return files, ctx.Err()
}

// isCopyOfZones leaves out the zone database's second and third copy.
func isCopyOfZones(path string) bool {
	switch filepath.Base(path) {
	case "posix", "right":
		return true
	}
	return false
}

// serverDirs is where one PostgreSQL server keeps its parts.
type serverDirs struct{ bin, lib, share string }

// findServer returns the newest server below root: in Debian's versioned
// folders, else (on this machine only) the one whose pg_config is in PATH.
func findServer(root string) (serverDirs, error) {
	binaries, err := filepath.Glob(filepath.Join(root, "/usr/lib/postgresql/*/bin/postgres"))
	if err != nil {
		return serverDirs{}, err
	}
	newest := 0
	for _, binary := range binaries {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(binary))))
		if err == nil {
			newest = max(newest, version)
		}
	}
	if newest > 0 {
		lib := fmt.Sprintf("/usr/lib/postgresql/%d", newest)
		return serverDirs{bin: lib + "/bin", lib: lib + "/lib", share: fmt.Sprintf("/usr/share/postgresql/%d", newest)}, nil
	}
	if root != "/" {
		return serverDirs{}, errNoPostgres
	}
	config, err := exec.LookPath("pg_config")
	if err != nil {
		return serverDirs{}, errNoPostgres
	}
	out, err := exec.Command(config, "--bindir", "--pkglibdir", "--sharedir").Output()
	if err != nil {
		return serverDirs{}, errNoPostgres
	}
	lines := strings.Fields(string(out))
	if len(lines) != 3 {
		return serverDirs{}, errNoPostgres
	}
	found := serverDirs{bin: lines[0], lib: lines[1], share: lines[2]}
	if _, err := os.Stat(filepath.Join(found.bin, "postgres")); err != nil {
		return serverDirs{}, errNoPostgres // a client installation
	}
	return found, nil
}
