package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v3"

	"github.com/streamgauge/streamgauge/producer/internal/deliver"
	"github.com/streamgauge/streamgauge/shared/commandline"
	"github.com/streamgauge/streamgauge/shared/topology"
)

// parse returns what args configure.
func parse(t *testing.T, args ...string) (deliver.Config, error) {
	t.Helper()
	var cfg deliver.Config
	cmd := command(io.Discard, io.Discard, nil, slog.New(slog.DiscardHandler))
	cmd.Action = func(_ context.Context, cmd *cli.Command) (err error) {
		cfg, err = config(cmd)
		return err
	}
	err := cmd.Run(t.Context(), append([]string{"producer"}, args...))
	return cfg, err
}

func TestFlags(t *testing.T) {
	for _, name := range []string{"NATS_URL", "NATS_CREDS", "NATS_CONTEXT"} {
		t.Setenv(name, "")
	}
	for name, c := range map[string]struct {
		args  []string
		check func(deliver.Config) (got, want any)
	}{
		"files, anywhere": {[]string{"a", "--file", "b", "--wait", "c", "--file=d,e", "-"}, func(c deliver.Config) (any, any) {
			return c.Inputs, []string{"b", "d,e", "a", "c", "-"}
		}},
		"batch size":   {nil, func(c deliver.Config) (any, any) { return c.BatchSize, 500 }},
		"tab":          {[]string{"--delimiter", "tab"}, func(c deliver.Config) (any, any) { return c.Columns.Delimiter, "\t" }},
		"tab, escaped": {[]string{"-d", `\t`}, func(c deliver.Config) (any, any) { return c.Columns.Delimiter, "\t" }},
		"space":        {[]string{"-d", " "}, func(c deliver.Config) (any, any) { return c.Columns.Delimiter, " " }},
		"map": {[]string{"--map", "price=precio", "--map", "User_ID = a=b"}, func(c deliver.Config) (any, any) {
			return c.Columns.Map, map[string]string{"price": "precio", "user_id": "a=b"}
		}},
		"columns":        {[]string{"--columns", "a,b,", "--no-header"}, func(c deliver.Config) (any, any) { return c.Columns.Names, []string{"a", "b", ""} }},
		"sizes given":    {[]string{"--max-bytes", "5000000"}, func(c deliver.Config) (any, any) { return c.SizesGiven, true }},
		"sizes default":  {nil, func(c deliver.Config) (any, any) { return c.SizesGiven, false }},
		"json":           {[]string{"--output", "json"}, func(c deliver.Config) (any, any) { return c.JSON, true }},
		"name like flag": {[]string{"--", "--wait"}, func(c deliver.Config) (any, any) { return c.Inputs, []string{"--wait"} }},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := parse(t, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			got, want := c.check(cfg)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The options of loading stand before watch or behind it.
func TestWatchFlags(t *testing.T) {
	for _, args := range [][]string{
		{"watch", "--wait", "--map", "price=precio", "--settle", "7s", "drops"},
		{"--wait", "--map", "price=precio", "watch", "drops", "--settle", "7s"},
		{"--map=price=precio", "watch", "-w", "--settle=7s", "drops"},
	} {
		var cfg deliver.Config
		root := command(io.Discard, io.Discard, nil, slog.New(slog.DiscardHandler))
		root.Command("watch").Action = func(_ context.Context, cmd *cli.Command) (err error) {
			cfg, err = validConfig(cmd)
			return err
		}
		if err := root.Run(t.Context(), append([]string{"producer"}, args...)); err != nil {
			t.Errorf("%q: %v", args, err)
			continue
		}
		got := []any{cfg.Inputs, cfg.Wait, cfg.Columns.Map, cfg.Settle}
		want := []any{[]string{"drops"}, true, map[string]string{"price": "precio"}, 7 * time.Second}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", args, diff)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"--wait"},
		{"--bogus"},
		{"--batch-size", "x"},
		{"--batch-size", "0", "a"},
		{"--output", "xml", "a"},
		{"--map", "price", "a"},
		{"--map", "price=a", "--map", "PRICE=b", "a"},
		{"--label=", "a"},
		{"--delimiter=", "a"},
		{"--replicas", "0", "a"},
	} {
		err := command(io.Discard, io.Discard, nil, slog.New(slog.DiscardHandler)).Run(t.Context(), append([]string{"producer"}, args...))
		if !commandline.IsMistake(err) {
			t.Errorf("%q: error %v is no mistake in the command line", args, err)
		}
	}
}

func TestServer(t *testing.T) {
	env := map[string]string{"NATS_URL": "nats://e", "NATS_CREDS": "e.creds"}
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
		want topology.Server
	}{
		"nothing":                     {nil, nil, topology.Server{}},
		"variables":                   {nil, env, topology.Server{URL: "nats://e", Creds: "e.creds"}},
		"flag over its variable":      {[]string{"--server", "x"}, env, topology.Server{URL: "x", Creds: "e.creds"}},
		"context over others":         {[]string{"--context", "x"}, env, topology.Server{Context: "x"}},
		"address over context":        {[]string{"--server", "x"}, map[string]string{"NATS_CONTEXT": "y"}, topology.Server{URL: "x"}},
		"variables exclude, as flags": {nil, map[string]string{"NATS_CONTEXT": "y", "NATS_URL": "z"}, topology.Server{URL: "z", Context: "y"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"NATS_URL", "NATS_CREDS", "NATS_CONTEXT"} {
				t.Setenv(variable, c.env[variable])
			}
			cfg, err := parse(t, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, cfg.Server); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	for want, list := range map[int][]error{
		0:   {nil},
		1:   {errors.New("x"), &deliver.FilesError{Failed: 1, Files: 2}},
		2:   {&commandline.Error{Program: "producer", Cause: errors.New("x")}},
		3:   {deliver.ErrIncomplete, fmt.Errorf("x: %w", deliver.ErrIncomplete)},
		130: {&deliver.StoppedError{At: "x"}, context.Canceled},
	} {
		for _, err := range list {
			if got, _ := exit(err); got != want {
				t.Errorf("%v exits %d, want %d", err, got, want)
			}
		}
	}
}

func TestTalkIsOneSafeLine(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(newTalk(&out, 0))
	log.Debug("not told")
	log.With("file", "a\nb").Warn("lost \x1b[2J", "cause", errors.New("x\ny\u009b"))
	if got, want := out.String(), "producer: lost  [2J (file: a b, cause: x y )\n"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestAtMost(t *testing.T) {
	never := make(chan struct{})
	defer close(never)
	atMost(time.Millisecond, func() { <-never })
	done := false
	atMost(time.Minute, func() { done = true })
	if !done {
		t.Error("it was not waited for")
	}
}
