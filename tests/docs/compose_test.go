package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/streamgauge/streamgauge/tests/compose/stack"
)

// condition is compose: whether there is a Docker engine and a compose.
func condition(name string) (bool, error) {
	if name != "compose" {
		return false, fmt.Errorf("no condition %q", name)
	}
	s, err := stack.New(context.Background())
	if stack.Unavailable(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, s.Close(context.Background())
}

// compose is a script's command that prepares a place for 'docker compose': a
// project of its own, which is removed at the end.
func compose(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: compose")
	}
	s, err := stack.New(context.Background())
	ts.Check(err)
	ts.Defer(func() {
		ctx, cancel := context.WithTimeout(context.Background(), commandTime)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			ts.Logf("remove the stack: %v", err)
		}
	})
	labels, err := s.Label(ts.Getenv("WORK"))
	ts.Check(err)
	vars := ts.Value(environment{}).(*[]string)
	*vars = append(*vars, s.Env(labels)...)
	if s.Command[0] == "docker" {
		return
	}
	// The older program, under the name by which the documents know it. It calls
	// docker itself, if there is one.
	shim := "#!/bin/sh\n[ \"$1\" = compose ] || exec " + docker() + " \"$@\"\nshift\nexec " + strings.Join(s.Command, " ") + " \"$@\"\n"
	shims := filepath.Join(ts.Getenv("WORK"), "shims")
	ts.Check(os.Mkdir(shims, 0o755))
	ts.Check(os.WriteFile(filepath.Join(shims, "docker"), []byte(shim), 0o755))
	for i, v := range *vars {
		if path, found := strings.CutPrefix(v, "PATH="); found {
			(*vars)[i] = "PATH=" + shims + string(filepath.ListSeparator) + path
		}
	}
}

// docker is where the command is, or its bare name.
func docker() string {
	if path, err := exec.LookPath("docker"); err == nil {
		return path
	}
	return "docker"
}
