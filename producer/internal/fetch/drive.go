package fetch

import (
	"errors"
	"io"
	"maps"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

var (
	errDriveFolder = errors.New("it is a folder on Google Drive. Share each file in it, and give their links")
	errDriveSheet  = errors.New("it is a Google document, not a file. Use its File > Download > CSV; of a sheet that is shared, https://docs.google.com/spreadsheets/d/ID/export?format=csv works too")

	// driveAccount is what a share link begins with for who has several accounts.
	driveAccount = regexp.MustCompile(`^/(u/\d+|a/[^/]+)/`)
	driveFile    = regexp.MustCompile(`^/file/(?:u/\d+/)?d/([^/]+)`)
	driveEditor  = regexp.MustCompile(`^/(spreadsheets|document|presentation|forms)/(u/\d+/)?d/[^/]+(/(edit|view|preview|htmlview|copy)?)?$`)
)

// direct returns the address that gives the file which a link stands for: that
// of the download for a share link of Google Drive, the link itself otherwise.
func direct(link *url.URL) (address *url.URL, drive bool, err error) {
	path, query := driveAccount.ReplaceAllString(link.Path, "/"), link.Query()
	host, id := strings.ToLower(link.Hostname()), ""
	switch {
	case host == "drive.usercontent.google.com":
		return link, true, nil
	case host == "docs.google.com" && driveEditor.MatchString(link.Path):
		return nil, true, errDriveSheet
	case host != "drive.google.com" && host != "docs.google.com":
		return link, false, nil
	case strings.HasPrefix(path, "/drive/folders/"), strings.HasPrefix(path, "/drive/u/"):
		return nil, true, errDriveFolder
	case path == "/open", path == "/uc":
		id = query.Get("id")
	default:
		if found := driveFile.FindStringSubmatch(path); found != nil {
			id = found[1]
		}
	}
	if id == "" {
		return link, host == "drive.google.com", nil
	}
	asked := url.Values{"export": {"download"}, "id": {id}}
	if key := query.Get("resourcekey"); key != "" {
		asked.Set("resourcekey", key)
	}
	return &url.URL{Scheme: link.Scheme, Host: link.Host, Path: "/uc", RawQuery: asked.Encode()}, true, nil
}

// confirmation finds on a page at some address where to go to download a file
// all the same, which Google Drive asks before one that it can't scan for
// viruses. It returns nil if the page does not ask that.
func confirmation(page io.Reader, at *url.URL) *url.URL {
	tokens := html.NewTokenizer(page)
	var action string
	var asked url.Values // of the form, nil outside it
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return nil
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			switch {
			case token.Data == "form" && attribute(token, "id") == "download-form":
				action, asked = attribute(token, "action"), url.Values{}
			case token.Data == "input" && asked != nil && attribute(token, "name") != "":
				asked.Set(attribute(token, "name"), attribute(token, "value"))
			case token.Data == "a" && attribute(token, "id") == "uc-download-link":
				return resolve(at, attribute(token, "href"), nil)
			}
		case html.EndTagToken:
			if token := tokens.Token(); token.Data == "form" && asked != nil {
				return resolve(at, action, asked)
			}
		default:
		}
	}
}

func attribute(token html.Token, name string) string {
	for _, a := range token.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// resolve returns where a page leads, nil if that is nowhere a file is fetched
// from.
func resolve(page *url.URL, reference string, asked url.Values) *url.URL {
	next, err := page.Parse(reference)
	if err != nil || reference == "" || next.Scheme != page.Scheme || next.Host == "" {
		return nil
	}
	if asked != nil {
		query := next.Query()
		maps.Copy(query, asked)
		next.RawQuery = query.Encode()
	}
	return next
}
