package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is a user that the server runs as in place of root, which it
// refuses. A nil *account stands for this process's own user.
type account struct {
	name     string
	uid, gid uint32
}

// unprivileged picks the account, nil unless this process is root.
//
// It is nobody, not the postgres account of a system's packages: a server
// under the latter could read, signal and damage the real clusters of this
// machine, while nobody owns nothing. Where there is no nobody, postgres it
// is.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"nobody", "postgres"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil || uid == 0 {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and this system has no user nobody or postgres to run it as: run as another user")
}

// owner is the account that a cluster made by an earlier run belongs to, nil
// unless this process is root. The server insists on running as that user.
func owner(info fs.FileInfo) *account {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || st.Uid == 0 {
		return nil
	}
	name := strconv.FormatUint(uint64(st.Uid), 10)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return &account{name: name, uid: st.Uid, gid: st.Gid}
}

// suffix is " as user nobody" for messages, "" for this process's own user.
func (a *account) suffix() string {
	if a == nil {
		return ""
	}
	return " as user " + a.name
}

// give makes path the account's.
func (a *account) give(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// enters reports why the account can't get to path, by the permission bits of
// the folders above it. Without this the first sign would be an error of
// initdb that names no remedy.
func (a *account) enters(path string) error {
	if a == nil {
		return nil
	}
	for dir := path; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		execute := fs.FileMode(0o001)
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			switch {
			case st.Uid == a.uid:
				execute = 0o100
			case st.Gid == a.gid:
				execute = 0o010
			}
		}
		if info.Mode()&execute == 0 {
			return fmt.Errorf("PostgreSQL refuses to run as root, and user %s can't enter %s: use a folder that every user may enter (or set TMPDIR to one), or run as another user", a.name, dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// attributes make a child run as the account.
func (a *account) attributes() *syscall.SysProcAttr {
	if a == nil {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid}}
}

// environment is what children get: nothing of the user's PG* variables or
// locale.
func environment() []string {
	env := []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	for _, name := range []string{"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
