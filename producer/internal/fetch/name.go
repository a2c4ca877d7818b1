package fetch

import (
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// driveName is what a file on Google Drive is called until it says so itself.
const driveName = "google-drive"

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// Scheme returns the scheme of what is written like a URL, in lower case, and
// empty for anything else.
func Scheme(argument string) string {
	return strings.ToLower(strings.TrimSuffix(scheme.FindString(argument), "://"))
}

// IsURL says whether Fetch takes an argument.
func IsURL(argument string) bool {
	s := Scheme(argument)
	return s == "https" || s == "http"
}

// Check says whether an address can be asked for at all, before any is.
func Check(address string) error {
	given, err := parse(address)
	if err == nil {
		_, _, err = direct(given)
	}
	return err
}

func parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Opaque != "" {
		// The parser's own error holds the address.
		return nil, errBadURL
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// Name returns what a file at an address is called before its server has said
// anything: the last element of the path, else the host. It holds nothing of the
// query, user or password.
func Name(address string) string {
	u, err := parse(address)
	if err != nil {
		return "URL"
	}
	if _, drive, err := direct(u); drive || err != nil {
		return driveName
	}
	if name := safe(u.Path); name != "" {
		return name
	}
	return safe(u.Hostname())
}

// suggested returns the name that an answer gives its file, empty if none.
func suggested(response *http.Response) string {
	_, parameters, err := mime.ParseMediaType(response.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return safe(parameters["filename"])
}

// safe makes a name of what came from outside: its last element, whichever way
// the slashes lean, without what can't be printed and dots in front. It is empty
// when nothing is left.
func safe(path string) string {
	path = strings.TrimRight(path, `/\`)
	name := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return '_'
		}
		return r
	}, path[strings.LastIndexAny(path, `/\`)+1:])
	return strings.TrimSpace(strings.TrimLeft(name, ". "))
}
