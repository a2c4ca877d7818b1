package fetch

import (
	"net/http"
	"strings"
	"testing"
	"unicode"
)

func TestName(t *testing.T) {
	for address, want := range map[string]string{
		"https://u:p@h.example/a/2012-1.csv?X-Amz-Signature=x#y": "2012-1.csv",
		"https://h.example/bucket/dir%2F2012-1.csv.gz":           "2012-1.csv.gz",
		"HTTPS://h.example/a/drop/":                              "drop",
		"https://h.example:8443/?file=secret.csv":                "h.example",
		"https://h.example":                                      "h.example",
		"https://h.example/a/%1B%5B2J%00x.csv":                   "_[2J_x.csv",
		"https://h.example/..%5C..%5Cx.csv":                      "x.csv",
		"https://h.example/a/...":                                "h.example",
		"https://h.example/a/%FFx.csv":                           "_x.csv",
		"https://h.example/a/año%202012.csv":                     "año 2012.csv",
		"https://drive.google.com/file/d/secret/view":            "google-drive",
		"https://%zz": "URL",
	} {
		if got := Name(address); got != want {
			t.Errorf("%s is called %q, want %q", address, got, want)
		}
	}
}

func TestSuggestedName(t *testing.T) {
	for header, want := range map[string]string{
		"":                                  "",
		"inline":                            "",
		`attachment; filename="2012 1.csv"`: "2012 1.csv",
		"attachment; filename=2012-1.csv":   "2012-1.csv",
		"attachment; filename*=UTF-8''a%C3%B1o.csv": "año.csv",
		`attachment; filename="../../etc/x.csv"`:    "x.csv",
		`attachment; filename="C:\\x\\y.csv"`:       "y.csv",
		`attachment; filename=".."`:                 "",
		`attachment; filename=".bashrc"`:            "bashrc",
		`attachment; filename*=UTF-8''%1B%5Bx%0A`:   "_[x_",
		`attachment; filename=a b;;`:                "",
	} {
		response := &http.Response{Header: http.Header{"Content-Disposition": {header}}}
		if got := suggested(response); got != want {
			t.Errorf("%s suggests %q, want %q", header, got, want)
		}
	}
}

func TestIsURL(t *testing.T) {
	for argument, want := range map[string]bool{
		"https://h/x": true, "HTTP://h": true, "s3://b/k": false, "a.csv": false, "https:/x": false,
		"x/https://h": false, "-": false, "c:/x": false,
	} {
		if got := IsURL(argument); got != want {
			t.Errorf("IsURL(%q) = %v", argument, got)
		}
	}
}

func TestIsPage(t *testing.T) {
	for start, want := range map[string]bool{
		"<!DOCTYPE html>": true, "\ufeff<!doctype HTML >": true, "\n\t <html lang=x>": true, "<body>": true, "<script>": true,
		"<!-- a -->": true,
		"":           false, "timestamp,price,user_id\n": false, "<x>,price\n": false, "\x1f\x8b\x08": false,
	} {
		if got := IsPage([]byte(start)); got != want {
			t.Errorf("IsPage(%q) = %v", start, got)
		}
	}
}

// A name is one element of a path, printable, and holds nothing of a query.
func FuzzName(f *testing.F) {
	f.Add("https://u:p@h/a/b.csv?c=d#e", `attachment; filename="x/y"`)
	f.Add("https://h/%2F%00%2e%2e", `attachment; filename*=UTF-8''%2F..`)
	f.Fuzz(func(t *testing.T, address, disposition string) {
		response := &http.Response{Header: http.Header{"Content-Disposition": {disposition}}}
		for _, name := range []string{Name(address), suggested(response)} {
			if strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") {
				t.Fatalf("%q, %q: called %q", address, disposition, name)
			}
			for _, r := range name {
				if !unicode.IsPrint(r) {
					t.Fatalf("%q, %q: called %q", address, disposition, name)
				}
			}
		}
	})
}

// Whatever a server says of a part, it is one that can be.
func FuzzContentRange(f *testing.F) {
	for _, header := range []string{"bytes 0-1/2", "bytes 5-9/*", "bytes */7", "bytes 9-1/2", "bytes -1-2/3", "items 0-1/2"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		start, total, ok := contentRange(&http.Response{Header: http.Header{"Content-Range": {header}}})
		if ok && (start < 0 || total < -1) {
			t.Fatalf("%q: from %d of %d", header, start, total)
		}
	})
}
