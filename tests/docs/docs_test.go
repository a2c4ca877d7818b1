// Package docs checks that what the documents name exists, and that what they
// show happens.
package docs

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/streamgauge/streamgauge/tests/checkout"
)

var (
	makeTarget  = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	code        = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	makeCommand = regexp.MustCompile("(?m)(?:^|[`;&|(]|[A-Z]=\\S+)[ \t$]*make ([a-z][a-z-]*)")
	link        = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]+)\)`)
	scheme      = regexp.MustCompile(`^[a-z]+:`)
	heading     = regexp.MustCompile(`(?m)^#+ +(.+?) *#*$`)
	testName    = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*`)
)

func TestDocuments(t *testing.T) {
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	documents := markdownBelow(t, root)
	if !slices.Contains(documents, "CONTRIBUTING.md") {
		t.Fatalf("found no more than %q below %s", documents, root)
	}
	var targets []string
	for _, m := range makeTarget.FindAllStringSubmatch(read(t, filepath.Join(root, "Makefile")), -1) {
		targets = append(targets, m[1])
	}
	for _, document := range documents {
		t.Run(document, func(t *testing.T) {
			path := filepath.Join(root, document)
			text := read(t, path)
			for _, target := range commands(text) {
				if !slices.Contains(targets, target) {
					t.Errorf("make %s: the Makefile has no such target", target)
				}
			}
			prose := code.ReplaceAllStringFunc(text, func(s string) string {
				if strings.HasPrefix(s, "```") {
					return ""
				}
				return s
			})
			for _, m := range link.FindAllStringSubmatch(prose, -1) {
				checkLink(t, path, text, m[1], m[2])
			}
		})
	}
}

// TestFileMap: the map in DESIGN.md has every package, or one above it.
func TestFileMap(t *testing.T) {
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	mapped := make(map[string]bool)
	for _, m := range link.FindAllStringSubmatch(read(t, filepath.Join(root, "DESIGN.md")), -1) {
		mapped[m[2]] = true
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "work")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	folders := strings.Fields(string(out))
	if len(folders) < 50 {
		t.Fatalf("found no more than %q", folders)
	}
	for _, folder := range folders {
		name, err := filepath.Rel(root, folder)
		if err != nil {
			t.Fatal(err)
		}
		above := name
		for !mapped[above] && !modules[above] {
			above = filepath.Dir(above)
		}
		if !mapped[above] || above != name && modules[above] {
			t.Errorf("%s is not in DESIGN.md", name)
		}
	}
}

// modules are the folders whose packages are named one by one.
var modules = map[string]bool{".": true, "shared": true, "producer": true, "consumer": true, "sandbox": true, "tests": true}

// commands returns the targets that the code in a document calls make with.
func commands(text string) []string {
	var targets []string
	for _, block := range code.FindAllString(text, -1) {
		for _, m := range makeCommand.FindAllStringSubmatch(block, -1) {
			targets = append(targets, m[1])
		}
	}
	return targets
}

// checkLink checks that a link within the repository leads somewhere, at its
// anchor too, and that a test it names stands where it leads.
func checkLink(t *testing.T, document, text, label, target string) {
	t.Helper()
	if scheme.MatchString(target) {
		return
	}
	name, anchor, _ := strings.Cut(target, "#")
	if name != "" {
		document = filepath.Join(filepath.Dir(document), name)
		info, err := os.Stat(document)
		if err != nil {
			t.Errorf("[%s](%s): %v", label, target, err)
			return
		}
		if info.IsDir() {
			return
		}
		text = read(t, document)
	}
	if anchor != "" && filepath.Ext(document) == ".md" && !slices.Contains(anchors(text), anchor) {
		t.Errorf("[%s](%s): no heading with that anchor", label, target)
	}
	if strings.HasSuffix(document, "_test.go") {
		for _, test := range testName.FindAllString(label, -1) {
			if !strings.Contains(text, "func "+test+"(") {
				t.Errorf("[%s](%s): %s does not stand there", label, target, test)
			}
		}
	}
}

// anchors returns the anchors of a document's headings as GitHub makes them:
// lower case, spaces as hyphens, other punctuation gone.
func anchors(text string) []string {
	var out []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		out = append(out, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			default:
				return -1
			}
		}, m[1]))
	}
	return out
}

// markdownBelow returns the documents below the root, relative to it.
func markdownBelow(t *testing.T, root string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != root && d.IsDir() && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		name, err := filepath.Rel(root, path)
		found = append(found, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
