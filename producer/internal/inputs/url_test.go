package inputs

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const link = "https://u:SECRET@h.example/drop/2012-1.csv?X-Amz-Signature=SECRET&a[]=*"

func TestListURLs(t *testing.T) {
	t.Chdir(folderWith(t, "a.csv"))
	other := strings.Replace(link, "2012-1", "2012-2", 1)
	for name, c := range map[string]struct {
		arguments, exclude, want []string
	}{
		"stand for themselves": {[]string{link, "a.csv", other}, nil, []string{link, "a.csv", other}},
		"twice is once":        {[]string{link, link}, nil, []string{link}},
		"exclude by name":      {[]string{link, other}, []string{"*-1.csv"}, []string{other}},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := List(c.arguments, c.exclude)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, in := range list {
				got = append(got, in.Path)
				if strings.Contains(in.Name(), "SECRET") {
					t.Errorf("called %s", in.Name())
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("inputs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListRefusesURLs(t *testing.T) {
	for argument, want := range map[string]string{
		"s3://bucket/SECRET.csv":                         "s3:// is not supported, only https:// and http://. Give the path of a file, or a presigned https:// link to an object store",
		"https://u:SECRET/x@h/":                          "URL: it can't be read as a URL. Write it as https://HOST/PATH, in quotes",
		"https://drive.google.com/drive/folders/SECRET":  "google-drive: it is a folder on Google Drive. Share each file in it, and give their links",
		"https://docs.google.com/document/d/SECRET/edit": "google-drive: it is a Google document, not a file.",
		"https://docs.google.com/spreadsheets/d/SECRET":  "google-drive: it is a Google document, not a file.",
	} {
		_, err := List([]string{argument}, nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: error %v, want %q", argument, err, want)
		}
	}
}

// fetching answers as a server would.
func fetching(name, content string) Outside {
	return Outside{Fetch: func(_ context.Context, _ string, into *os.File) (string, error) {
		_, err := into.WriteString(content)
		return name, err
	}}
}

func packed(t *testing.T, content string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func archive(t *testing.T, members map[string]string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, content := range members {
		member, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(member, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFetchedSources(t *testing.T) {
	const page = "<!DOCTYPE html>\n<title>Sign in</title>"
	for name, c := range map[string]struct {
		outside Outside
		exclude []string
		want    map[string]string
		err     string
	}{
		"plain":                    {fetching("given.csv", "plain"), nil, map[string]string{"given.csv": "plain"}, ""},
		"gzip":                     {fetching("given.csv", packed(t, "inside")), nil, map[string]string{"given.csv": "inside"}, ""},
		"zip":                      {fetching("a.zip", archive(t, map[string]string{"b.csv": "b", "validation.csv": "v"})), []string{"validation.csv"}, map[string]string{"a.zip!b.csv": "b"}, ""},
		"excluded by the new name": {fetching("validation.csv", "v"), []string{"validation*"}, nil, ""},
		"long name":                {fetching(strings.Repeat("x", 2000), "x"), nil, map[string]string{strings.Repeat("x", 1024): "x"}, ""},
		"page in gzip":             {fetching("a.csv", packed(t, page)), nil, nil, "a.csv: it is an HTML page, not a CSV file. "},
		"page in zip":              {fetching("a.zip", archive(t, map[string]string{"b.csv": page})), nil, nil, "a.zip!b.csv: it is an HTML page, not a CSV file. "},
		"cut off":                  {fetching("a.csv.gz", packed(t, strings.Repeat("inside", 100))[:20]), nil, map[string]string{}, "it is compressed, and cut off"},
		"fails": {Outside{Fetch: func(context.Context, string, *os.File) (string, error) {
			return "", errors.New("h.example answers 404")
		}}, nil, nil, "2012-1.csv: h.example answers 404"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := fetchedContents(t, c.outside, c.exclude)
			if (err == nil) != (c.err == "") || err != nil && (!strings.HasPrefix(err.Error(), c.err) || strings.Contains(err.Error(), "SECRET")) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if diff := cmp.Diff(c.want, got); err == nil && diff != "" {
				t.Errorf("contents (-want +got):\n%s", diff)
			}
		})
	}
}

func fetchedContents(t *testing.T, outside Outside, exclude []string) (map[string]string, error) {
	t.Helper()
	file, err := Input{Path: link}.Open(t.Context(), outside)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := os.Stat(file.Name()); !os.IsNotExist(err) {
		t.Errorf("the copy still has a name: %v", err)
	}
	sources, err := file.Sources(exclude)
	if err != nil {
		return nil, err
	}
	var got map[string]string
	for _, source := range sources {
		if source.Nameless {
			t.Errorf("%s has a name of its own", source.Name)
		}
		// Twice, as the producer reads.
		for range 2 {
			read, err := io.ReadAll(io.NewSectionReader(source, 0, 1<<62))
			if err != nil {
				return nil, err
			}
			if got == nil {
				got = make(map[string]string)
			}
			got[source.Name] = string(read)
		}
	}
	return got, nil
}

// What writers leave beside their files is none of a folder's.
func TestFolder(t *testing.T) {
	root := folderWith(t, "b.csv", "a.csv", "validation.csv", ".a.csv", ".b.csv.swp", "~$a.csv", "a.csv~", "a.csv.tmp", "a.csv.part", "a.csv.crdownload", "#a.csv#", "sub.csv/c.csv", "notes.txt")
	t.Chdir(root)
	list, err := Folder(".", []string{"val*"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Input{{Path: "a.csv"}, {Path: "b.csv"}}, list); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	if list, err := Folder("sub.csv", []string{"*"}); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}
