package commandline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"
)

// What package cli says, which has no error values.
const (
	unknownFlag  = "flag provided but not defined: -"
	missingValue = "flag needs an argument: "
)

// explain words an error of package cli for people.
func explain(cmd *cli.Command, err error) error {
	text := err.Error()
	if name, is := strings.CutPrefix(text, unknownFlag); is {
		if nearest, found := Nearest(name, flagNames(cmd)); found {
			return fmt.Errorf("unknown flag %s: did you mean %s?", dashed(name), dashed(nearest))
		}
		return fmt.Errorf("unknown flag %s", dashed(name))
	}
	if name, is := strings.CutPrefix(text, missingValue); is {
		return fmt.Errorf("%s needs a value", dashed(strings.TrimLeft(name, "-")))
	}
	if rest, is := strings.CutPrefix(text, "invalid value "); is {
		if value, rest, found := strings.Cut(rest, " for flag -"); found {
			name, reason, _ := strings.Cut(rest, ": ")
			return fmt.Errorf("%s can't be %s: %s", dashed(name), value, shortReason(reason))
		}
	}
	return err
}

// shortReason leaves out what strconv and time repeat of the value.
func shortReason(reason string) string {
	if strings.HasPrefix(reason, "time: ") {
		return "expected a duration such as 2s or 1m30s"
	}
	for mark, words := range map[string]string{
		"invalid syntax":     "not of the form it takes",
		"value out of range": "out of range",
	} {
		if strings.HasSuffix(reason, mark) {
			return words
		}
	}
	return reason
}

func flagNames(cmd *cli.Command) []string {
	var names []string
	for _, flag := range cmd.VisibleFlags() {
		names = append(names, flag.Names()...)
	}
	return names
}

// dashed writes a flag as it is typed.
func dashed(name string) string {
	if len([]rune(name)) == 1 {
		return "-" + name
	}
	return "--" + name
}

// Refuse is the mistake of a value that can't be: of flags that exclude each
// other, of an argument that is missing.
func Refuse(cmd *cli.Command, format string, values ...any) error {
	return &Error{cmd.FullName(), fmt.Errorf(format, values...)}
}

// IsMistake says whether err is one in how the program was called.
func IsMistake(err error) bool {
	_, is := errors.AsType[*Error](err)
	return is
}
