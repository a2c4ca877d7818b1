package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// As root the sandbox runs PostgreSQL as another user; this is a sandbox that
// is itself run by an ordinary one.
func TestOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // every other test here is this one
	}
	const uid = 65534
	tmp := folder(t)
	exe := filepath.Join(folder(t), "sandbox")
	copyFile(t, os.Args[0], exe)
	env := settings{env: []string{"TMPDIR=" + tmp, "HOME=" + tmp}, uid: uid, exe: exe, dir: tmp}
	dead := ready(t, env)
	dead.signal(t, syscall.SIGKILL)
	dead.code(t)
	keep := filepath.Join(tmp, "keep")
	b := ready(t, env, "--keep", keep)
	b.exec1(t, "SELECT 1")
	b.end(t, syscall.SIGTERM)

	// What an ordinary user kept, root can use: as that user.
	env.uid = 0
	root := ready(t, env, "--keep", keep)
	root.exec1(t, "SELECT 1")
	root.end(t, syscall.SIGTERM)
	if err := os.RemoveAll(keep); err != nil {
		t.Fatal(err)
	}
	leaves(t, tmp)
}

// PostgreSQL refuses root, and the user that it runs as instead must get to
// its folder.
func TestFolderThatOthersCannotEnter(t *testing.T) {
	if os.Geteuid() != 0 {
		return // the server runs as this user
	}
	dir := folder(t)
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p := begin(t, settings{}, "--keep", filepath.Join(dir, "keep"))
	if code := p.code(t); code != exitFailed {
		t.Errorf("exit %d", code)
	}
	if m := p.message(t); !strings.Contains(m, "can't enter "+dir) {
		t.Errorf("no cause in %q", m)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
