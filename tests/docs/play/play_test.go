package play_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/tests/docs/markdown"
	"github.com/streamgauge/streamgauge/tests/docs/play"
)

// right is a document that says what happens. ' stands for the backquote.
const right = `# Right

A drawing:

'''text
a ──► b
'''

'''console
$ mkdir new && cd new
$ printf 'rows %d\n' 22 29 31
rows 22
rows 29
rows 31
$ seq 1000; echo "2026-11-25T20:00:00Z in 3.1s"
1
…
1000
2031-01-01T00:00:00.5Z in 12ms
$ ls nothing
ls: …nothing…
$ echo $?
2
'''

'''sh
cat > file <<'END'
22 rows
END
cat \
  file
'''

which shows

'''json
22 rows
'''

'''console second
$ pwd | sed 's,.*/,,'
new
$ bash -c 'seq -f "revision %.0f" 3; exec sleep 100'
revision 1
'''

Later:

'''text second
revision 2
…
'''

'''console second
…
^Z
[1]+  Stopped                 bash -c 'seq -f "revision %.0f" 3; exec sleep 100'
$ kill -9 %1
…
$ bash -c 'echo up; exec sleep 100'
up
^C
…
'''
`

func played(t *testing.T, text string, change func(*play.Config)) *play.Outcome {
	t.Helper()
	d, err := markdown.Parse("right.md", strings.ReplaceAll(text, "'''", "```"))
	if err != nil {
		return &play.Outcome{Mistakes: []error{err}}
	}
	cfg := play.Config{
		Dir: t.TempDir(), Env: append(os.Environ(), "LC_ALL=C"), Limit: 5 * time.Second,
		Leave: []play.Exception{{Begins: "a ──►", Reason: "a drawing"}},
	}
	if change != nil {
		change(&cfg)
	}
	return play.Document(d, cfg)
}

// TestMistakes alters a document that says what happens, and looks at what is
// said of it.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		old, altered string
		leave        []play.Exception // instead of the drawing
		want         []string         // the first lines of the mistakes, or what they begin with
	}{
		"as it is": {},
		"a figure": {"rows 29\n", "rows 28\n", nil, []string{"right.md:13: $ printf 'rows %d\\n' 22 29 31\n  expected: rows 28\n  got:      rows 29\n"}},
		"a line that is missing": {
			"rows 29\n", "", nil,
			[]string{"right.md:13: $ printf 'rows %d\\n' 22 29 31\n  expected: rows 31\n  got:      rows 29\n"},
		},
		"a line too many": {
			"rows 31\n", "rows 31\nrows 32\n", nil,
			[]string{"right.md:15: $ printf 'rows %d\\n' 22 29 31\n  expected: rows 32\n  got:      (no such line)\n"},
		},
		"an option that was renamed": {
			"$ seq 1000;", "$ seq --to 1000;", nil,
			[]string{"right.md:16: $ seq --to 1000; echo \"2026-11-25T20:00:00Z in 3.1s\"\n  expected: 1\n  got:      seq: unrecognized option '--to'\n"},
		},
		"a figure after an elision": {"…\n1000", "…\n1001", nil, []string{"right.md:18: $ seq 1000; echo \"2026-11-25T20:00:00Z in 3.1s\"\n  expected: 1001\n  got:      1000\n"}},
		"a time that is none":       {"in 12ms", "in 12 rows", nil, []string{"right.md:19: $ seq 1000; echo \"2026-11-25T20:00:00Z in 3.1s\"\n  expected: 2031-01-01T00:00:00.5Z in 12 rows\n"}},
		"an exit code":              {"\n2\n'''", "\n3\n'''", nil, []string{"right.md:23: $ echo $?\n  expected: 3\n  got:      2\n"}},
		"a failure that is not shown": {
			"$ echo $?\n2\n", "", nil,
			[]string{"right.md:20: $ ls nothing: exits with 2, which the document does not show with 'echo $?'"},
		},
		"a command of sh that fails": {"cat \\\n  file\n", "cat \\\n  fil\n", nil, []string{"right.md:37: $ cat …\n  expected: 22 rows\n  got:      cat: fil: No such file or directory\n", "right.md:30: $ cat …: exits with 1"}},
		"the output of sh":           {"\n22 rows\n'''", "\n23 rows\n'''", nil, []string{"right.md:37: $ cat …\n  expected: 23 rows\n  got:      22 rows\n"}},
		"another terminal":           {"new\n$ bash", "old\n$ bash", nil, []string{"right.md:42: $ pwd | sed 's,.*/,,'\n  expected: old\n  got:      new\n"}},
		"what goes on":               {"revision 2\n…", "revision 4\n…", nil, []string{"right.md:50: $ bash -c 'seq -f \"revision %.0f\" 3; exec sleep 100'\n  expected: revision 4\n  got:      revision 2\n"}},
		"what goes on and is not shown": {
			"\n…\n'''\n\n'''console second\n…", "\n'''\n\n'''console second", nil,
			[]string{"right.md:54: $ bash -c 'seq -f \"revision %.0f\" 3; exec sleep 100': has printed what is shown nowhere before this key\n  It printed:\n    revision 3"},
		},
		"a terminal that there is not": {"'''text second", "'''text third", nil, []string{"right.md:50: there is no terminal \"third\" yet"}},
		"a block that is not listed": {
			"", "",
			[]play.Exception{},
			[]string{"right.md:6: neither played nor in the list of blocks to leave out: \"a ──► b\""},
		},
		"a language that is not known": {"'''json", "'''yaml", nil, []string{"right.md:37: a block of \"yaml\" is neither console, sh, text nor json, and not in the list of blocks to leave out"}},
		"an exception without a block": {
			"", "",
			[]play.Exception{{Begins: "a ──►", Reason: "a drawing"}, {Begins: "c ──►", Reason: "another"}},
			[]string{"right.md: the list of blocks to leave out has \"c ──►\" (another): 0 blocks begin so, not 1"},
		},
		"a block without an end": {"^C\n…\n'''\n", "^C\n…\n", nil, []string{"right.md:54: a block without an end"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.Count(right, c.old) != 1 && c.old != "" {
				t.Fatalf("%q is not there once", c.old)
			}
			outcome := played(t, strings.Replace(right, c.old, c.altered, 1), func(cfg *play.Config) {
				if c.leave != nil {
					cfg.Leave = c.leave
				}
			})
			if len(outcome.Mistakes) != len(c.want) {
				t.Fatalf("%d mistakes, want %d:\n%v", len(outcome.Mistakes), len(c.want), errors.Join(outcome.Mistakes...))
			}
			for i, m := range outcome.Mistakes {
				if !strings.HasPrefix(m.Error(), c.want[i]) {
					t.Errorf("got\n%v\nwant it to begin with\n%s", m, c.want[i])
				}
			}
		})
	}
}

// TestHangs is about a command that does not print what is shown, and does not
// end.
func TestHangs(t *testing.T) {
	outcome := played(t, "'''console\n$ sleep 100\nnever\n'''\n\n'''sh\nfalse\n'''\n", func(cfg *play.Config) {
		cfg.Limit, cfg.Leave = 200*time.Millisecond, nil
	})
	if len(outcome.Mistakes) == 0 || !strings.HasPrefix(outcome.Mistakes[0].Error(), "right.md:3: $ sleep 100\n  expected: never\n") {
		t.Errorf("got %v", errors.Join(outcome.Mistakes...))
	}
	for _, m := range outcome.Mistakes {
		if strings.Contains(m.Error(), "false") {
			t.Errorf("went on: %v", m)
		}
	}
}

// TestUpdate brings an altered document up to date, which gives the right one
// again where nothing else can be known.
func TestUpdate(t *testing.T) {
	altered := strings.NewReplacer("rows 29\n", "rows 28\n", "rows 31\n", "", "…\n1000", "…\n1001",
		"ls: …nothing…", "lsx: …nothing…", "\n22 rows\n'''", "\n23 rows\n'''", "revision 2\n", "revision 4\n").Replace(right)
	outcome := played(t, altered, func(cfg *play.Config) { cfg.Update = true })
	if err := errors.Join(outcome.Mistakes...); err != nil {
		t.Fatal(err)
	}
	d, err := markdown.Parse("right.md", strings.ReplaceAll(altered, "'''", "```"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(right, "'''", "```"), d.Replaced(outcome.Changes)); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}
