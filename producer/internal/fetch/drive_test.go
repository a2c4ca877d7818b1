package fetch

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShareLinks(t *testing.T) {
	const download = "https://drive.google.com/uc?export=download&id=1a-B_c"
	for link, want := range map[string]string{
		"https://drive.google.com/file/d/1a-B_c/view?usp=sharing":                    download,
		"https://drive.google.com/file/d/1a-B_c":                                     download,
		"https://drive.google.com/file/u/0/d/1a-B_c/view":                            download,
		"https://drive.google.com/u/1/file/d/1a-B_c/edit":                            download,
		"https://drive.google.com/a/example.com/file/d/1a-B_c/view":                  download,
		"https://drive.google.com/open?id=1a-B_c&authuser=0":                         download,
		"https://drive.google.com/uc?id=1a-B_c":                                      download,
		"https://docs.google.com/uc?export=download&id=1a-B_c":                       "https://docs.google.com/uc?export=download&id=1a-B_c",
		"https://DRIVE.google.com/uc?id=1a-B_c&export=view&resourcekey=0-k":          "https://DRIVE.google.com/uc?export=download&id=1a-B_c&resourcekey=0-k",
		"https://drive.usercontent.google.com/download?id=1a-B_c&confirm=t":          "https://drive.usercontent.google.com/download?id=1a-B_c&confirm=t",
		"https://docs.google.com/spreadsheets/d/1a-B_c/export?format=csv&gid=1":      "https://docs.google.com/spreadsheets/d/1a-B_c/export?format=csv&gid=1",
		"https://storage.googleapis.com/bucket/file/d/x?X-Goog-Signature=b%2Fa&a=+1": "https://storage.googleapis.com/bucket/file/d/x?X-Goog-Signature=b%2Fa&a=+1",
	} {
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := direct(u)
		if err != nil || got.String() != want {
			t.Errorf("%s leads to %v, %v; want %s", link, got, err, want)
		}
	}
}

func TestDrive(t *testing.T) {
	content := csv(300_000)
	file := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="big 2012.csv"; filename*=UTF-8''big%202012.csv`)
		object(content)(w, r)
	}
	for name, c := range map[string]struct {
		handlers []http.HandlerFunc
		want     []string // the addresses asked for, all with https
	}{
		"small": {
			[]http.HandlerFunc{redirect("https://drive.usercontent.google.com/download?id=1a-B_c&export=download"), file},
			[]string{"drive.google.com/uc?export=download&id=1a-B_c", "drive.usercontent.google.com/download?id=1a-B_c&export=download"},
		},
		"large": {
			[]http.HandlerFunc{say(200, confirmationPage("https://drive.usercontent.google.com/download"), "Content-Type", "text/html"), file},
			[]string{"drive.google.com/uc?export=download&id=1a-B_c", "drive.usercontent.google.com/download?confirm=t&export=download&id=1a-B_c&uuid=a%26b"},
		},
		"large, and cut off": {
			[]http.HandlerFunc{say(200, confirmationPage("/download")), cut(100_000, file), file},
			[]string{"drive.google.com/uc?export=download&id=1a-B_c", "drive.google.com/download?confirm=t&export=download&id=1a-B_c&uuid=a%26b", "drive.google.com/download?confirm=t&export=download&id=1a-B_c&uuid=a%26b"},
		},
		"large, as it used to be": {
			[]http.HandlerFunc{
				say(200, `<p><a id="uc-download-link" class="jfk" href="/uc?export=download&amp;confirm=Ab1&amp;id=1a-B_c">Download anyway</a>`, "Set-Cookie", "download_warning=Ab1; Secure"),
				func(w http.ResponseWriter, r *http.Request) {
					if cookie, err := r.Cookie("download_warning"); err != nil || cookie.Value != "Ab1" {
						say(http.StatusForbidden, "")(w, r)
						return
					}
					file(w, r)
				},
			},
			[]string{"drive.google.com/uc?export=download&id=1a-B_c", "drive.google.com/uc?export=download&confirm=Ab1&id=1a-B_c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := serve(t, c.handlers...)
			got := o.fetch(t, "https://drive.google.com/file/d/1a-B_c/view?usp=sharing")
			got.want(t, content)
			if got.name != "big 2012.csv" {
				t.Errorf("called %q", got.name)
			}
			var asked []string
			for _, r := range o.asked {
				asked = append(asked, r.Host+r.URL.String())
			}
			if diff := cmp.Diff(c.want, asked); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever a page says, it leads nowhere but to where files are fetched from.
func FuzzConfirmation(f *testing.F) {
	f.Add(confirmationPage("https://drive.usercontent.google.com/download"))
	f.Add(`<a id=uc-download-link href="//x/y">`)
	f.Add(`<form id="download-form" action="javascript:x"></form>`)
	f.Add("<form id='download-form' action='?\x00'><input name=a value=b></form>")
	at := &url.URL{Scheme: "https", Host: "drive.google.com", Path: "/uc"}
	f.Fuzz(func(t *testing.T, page string) {
		next := confirmation(strings.NewReader(page), at)
		if next == nil {
			return
		}
		if next.Scheme != "https" || next.Host == "" {
			t.Fatalf("%q leads to %s", page, next)
		}
		if _, err := parse(next.String()); err != nil {
			t.Fatalf("%q leads to %q, which can't be asked for", page, next)
		}
	})
}
