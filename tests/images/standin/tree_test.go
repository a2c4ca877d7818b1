package standin

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTreeAsTar(t *testing.T) {
	source := filepath.Join(t.TempDir(), "binary")
	if err := os.WriteFile(source, []byte("from disk"), 0o700); err != nil {
		t.Fatal(err)
	}
	tree := new(Tree)
	tree.Content("/etc/motd", 0o644, "hello")
	tree.Dir("tmp", 0o777|os.ModeSticky, 0)
	tree.Dir("/data/", 0o700, 70)
	if err := tree.File("/bin/binary", source); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := tree.WriteTar(&archive); err != nil {
		t.Fatal(err)
	}

	type member struct {
		Name, Content string
		Mode          int64
		UID           int
	}
	var got []member
	for reader := tar.NewReader(&archive); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, member{header.Name, string(content), header.Mode, header.Uid})
	}
	want := []member{
		{"bin/binary", "from disk", 0o700, 0},
		{"data/", "", 0o700, 70},
		{"etc/motd", "hello", 0o644, 0},
		{"tmp/", "", 0o1777, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

// A stand-in is reused as long as the digest stays, so that every input must
// show in it.
func TestDigestSeesEveryChange(t *testing.T) {
	source := filepath.Join(t.TempDir(), "file")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	make := func(change func(*Tree)) string {
		t.Helper()
		tree := new(Tree)
		tree.Content("/a", 0o644, "text")
		if err := tree.File("/b", source); err != nil {
			t.Fatal(err)
		}
		change(tree)
		digest, err := tree.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	same := func(*Tree) {}
	before := make(same)
	if again := make(same); again != before {
		t.Errorf("the same tree: %s, then %s", before, again)
	}
	for name, change := range map[string]func(*Tree){
		"another text":  func(tree *Tree) { tree.Content("/a", 0o644, "texts") },
		"another mode":  func(tree *Tree) { tree.Content("/a", 0o600, "text") },
		"another owner": func(tree *Tree) { tree.Dir("/c", 0o644, 70) },
		"a file more":   func(tree *Tree) { tree.Content("/c", 0o644, "") },
	} {
		t.Run(name, func(t *testing.T) {
			if make(change) == before {
				t.Error("the digest stayed")
			}
		})
	}
	t.Run("a changed file", func(t *testing.T) {
		write("two and more")
		if make(same) == before {
			t.Error("the digest stayed")
		}
	})
}
