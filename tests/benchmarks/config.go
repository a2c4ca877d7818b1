package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/tests/benchmarks/contend"
)

// config is what is to be measured.
type config struct {
	rows, growth int64
	rounds       int
	only         *regexp.Regexp // of contenders' keys
	latency      time.Duration
	latencyDrop  time.Duration
	starts       int
	micro        int
	settings     map[string]string
	consumerArgs []string
	binaries     string
	nats         string
	write        string
}

// smoke is what -smoke stands for: every part that has servers once, in less
// than a minute.
var smoke = map[string]string{"rows": "200000", "rounds": "1", "latency": "4s", "latency-drop": "1s", "growth": "600000", "starts": "3", "micro": "0"}

func parse(args []string, stderr io.Writer) (config, error) {
	cfg := config{settings: make(map[string]string)}
	flags := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Int64Var(&cfg.rows, "rows", 2_000_000, "`rows` of the file that each contender loads")
	flags.IntVar(&cfg.rounds, "rounds", 5, "`times` that each contender runs; 0 runs none")
	only := flags.String("only", ".", "run the contenders whose key matches this `pattern`: "+keys())
	flags.DurationVar(&cfg.latency, "latency", time.Minute, "how `long` latency is measured; 0 leaves it out")
	flags.DurationVar(&cfg.latencyDrop, "latency-drop", 5*time.Second, "how `much` of that, at the beginning, does not count")
	flags.Int64Var(&cfg.growth, "growth", 20_000_000, "`rows` of the long load, 200000000 for one; 0 leaves it out")
	flags.IntVar(&cfg.starts, "starts", 10, "`times` that the consumer's start is measured; 0 leaves it out")
	flags.IntVar(&cfg.micro, "micro", 5, "`times` that the Go benchmarks of single steps run; 0 leaves them out")
	flags.Func("postgres", "a PostgreSQL `name=value` other than its default, the same for all; repeat it for more", func(text string) error {
		name, value, found := strings.Cut(text, "=")
		if !found {
			return errors.New("is name=value")
		}
		cfg.settings[name] = value
		return nil
	})
	consumer := flags.String("consumer", "", "`options` for each consumer, separated by spaces")
	flags.StringVar(&cfg.binaries, "bin", "bin", "`folder` of the built producer and consumer")
	flags.StringVar(&cfg.nats, "nats", "", "nats-server `program` (default: of the version that go.mod has, built when first needed)")
	flags.StringVar(&cfg.write, "write", "", "write benchmarks.json, benchmarks.svg and the tables of benchmarks.md into this `folder`")
	short := flags.Bool("smoke", false, "all but the Go benchmarks once and small, in less than a minute: shows that it works, measures nothing")
	if err := flags.Parse(args); err != nil {
		return cfg, &usageError{err}
	}
	if *short {
		given := map[string]bool{}
		flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
		for name, value := range smoke {
			if given[name] {
				continue
			}
			if err := flags.Set(name, value); err != nil {
				return cfg, err
			}
		}
	}
	cfg.consumerArgs = strings.Fields(*consumer)
	var err error
	if cfg.only, err = regexp.Compile("^(?:" + *only + ")$"); *only != "." && err != nil {
		return cfg, usage(stderr, "-only: %v", err)
	}
	if *only == "." {
		cfg.only = regexp.MustCompile("")
	}
	switch {
	case flags.NArg() > 0:
		return cfg, usage(stderr, "no argument %q", flags.Arg(0))
	case cfg.rows < 1000 || cfg.growth != 0 && cfg.growth < 1000:
		return cfg, usage(stderr, "-rows and -growth are at least 1000")
	case cfg.rounds < 0 || cfg.starts < 0 || cfg.micro < 0 || cfg.latency < 0:
		return cfg, usage(stderr, "nothing can be measured less than 0 times")
	case cfg.latency != 0 && cfg.latencyDrop >= cfg.latency:
		return cfg, usage(stderr, "-latency-drop leaves nothing of -latency")
	}
	return cfg, nil
}

func keys() string {
	var all []string
	for _, c := range contend.All() {
		all = append(all, c.Key)
	}
	return strings.Join(all, ", ")
}

func usage(stderr io.Writer, format string, args ...any) error {
	err := &usageError{fmt.Errorf(format, args...)}
	fmt.Fprintln(stderr, "benchmarks:", err)
	return err
}
