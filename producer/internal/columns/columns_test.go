package columns

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/shared/record"
)

func TestMatch(t *testing.T) {
	plain := record.Format{Delimiter: ",", Fields: 3, Timestamp: 0, Price: 1, UserID: 2}
	for name, c := range map[string]struct {
		header  string
		options Options
		want    record.Format
	}{
		"as written":         {"timestamp,price,user_id", Options{}, plain},
		"any case":           {"TimeStamp,PRICE,User_ID", Options{}, plain},
		"spaces around":      {" timestamp ,\tprice, user_id", Options{}, plain},
		"any order":          {"user_id,timestamp,price", Options{}, record.Format{Delimiter: ",", Fields: 3, UserID: 0, Timestamp: 1, Price: 2}},
		"others ignored":     {"id,timestamp,a,price,user_id,", Options{}, record.Format{Delimiter: ",", Fields: 6, Timestamp: 1, Price: 3, UserID: 4}},
		"others twice":       {"a,timestamp,a,price,user_id", Options{}, record.Format{Delimiter: ",", Fields: 5, Timestamp: 1, Price: 3, UserID: 4}},
		"mapped":             {"timestamp,precio,user_id", Options{Map: map[string]string{"price": "Precio"}}, plain},
		"mapped over a name": {"timestamp,precio,user_id,price", Options{Map: map[string]string{"price": "precio"}}, record.Format{Delimiter: ",", Fields: 4, Timestamp: 0, Price: 1, UserID: 2}},
		"reading options": {
			"timestamp,price,user_id",
			Options{Delimiter: ";", DecimalComma: true, TimestampFormat: "%d/%m/%Y", Timezone: "Europe/Madrid"},
			record.Format{Delimiter: ";", DecimalComma: true, Fields: 3, Price: 1, UserID: 2, TimestampFormat: "%d/%m/%Y", Timezone: "Europe/Madrid"},
		},
		"UTC is the default": {"timestamp,price,user_id", Options{Timezone: "UTC"}, plain},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Match(strings.Split(c.header, ","), c.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("format (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMatchRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		header  []string
		options Options
		want    string
	}{
		"one missing":   {[]string{"timestamp", "price", "user"}, Options{}, `it has no column "user_id", only "timestamp", "price", "user". Say which one it is with --map user_id=NAME`},
		"several":       {[]string{"a", "price"}, Options{}, `it has no columns "timestamp", "user_id", only "a", "price"`},
		"mapped absent": {[]string{"timestamp", "price", "user_id"}, Options{Map: map[string]string{"price": "precio"}}, `Say which one it is with --map price=NAME`},
		"web page":      {[]string{"<!DOCTYPE html>"}, Options{}, `It is a web page: download the file itself`},
		"semicolons":    {[]string{"timestamp;price;user_id"}, Options{}, `try --delimiter ';'`},
		"tabs":          {[]string{"timestamp\tprice\tuser_id"}, Options{}, `try --delimiter tab`},
		"bars":          {[]string{"timestamp|price|user_id"}, Options{}, `try --delimiter '|'`},
		"commas":        {[]string{"timestamp,price,user_id"}, Options{Delimiter: ";"}, `try --delimiter ','`},
		"data":          {[]string{"1/10/2012", "50", "9"}, Options{}, `try --no-header`},
		"UTF-16":        {[]string{"\xff\xfet\x00i\x00", "\x00p\x00"}, Options{}, `as with iconv -f UTF-16 -t UTF-8`},
		"UTF-16 mark":   {[]string{"\xfe\xff"}, Options{}, `It looks like UTF-16`},
		"CR line ends":  {[]string{"timestamp", "price", "user_id\r1/1/2012", "50", "9"}, Options{}, `as with tr '\r' '\n'`},
		"hostile":       {[]string{"\x1b[2J", "\n"}, Options{}, `only "\x1b[2J", "\n".`},
		"many":          {strings.Split(strings.Repeat("x,", 999), ","), Options{}, ` and 980 more. `},
		"long":          {[]string{strings.Repeat("x", 1000)}, Options{}, `only "` + strings.Repeat("x", 40) + `"….`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Match(c.header, c.options)
			var missing *MissingError
			if !errors.As(err, &missing) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want a *MissingError with %q", err, c.want)
			}
		})
	}
	t.Run("twice", func(t *testing.T) {
		_, err := Match([]string{"price", "timestamp", "PRICE ", "user_id"}, Options{})
		var duplicate *DuplicateError
		if !errors.As(err, &duplicate) || duplicate.Column != "price" || duplicate.Count != 2 {
			t.Errorf("error %v, want a *DuplicateError", err)
		}
	})
}

func TestOptionsValidate(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		want    string // "" for valid
	}{
		"defaults":             {Options{}, ""},
		"no header":            {Options{NoHeader: true}, ""},
		"columns":              {Options{NoHeader: true, Names: []string{"user_id", "x", "price", "timestamp"}}, ""},
		"columns and a header": {Options{Names: Required}, "give --no-header as well"},
		"columns lack one":     {Options{NoHeader: true, Names: []string{"price"}}, `--columns: it has no columns "timestamp", "user_id"`},
		"long delimiter":       {Options{Delimiter: "ab"}, "delimiter"},
		"quote as delimiter":   {Options{Delimiter: `"`}, "delimiter"},
		"local zone":           {Options{Timezone: "local"}, "--timezone Local"},
		"another spelling":     {Options{Timezone: "europe/madrid"}, `"europe/madrid" is no zone`},
		"zone of some disks":   {Options{Timezone: "posix/Europe/Madrid"}, `"posix/Europe/Madrid" is no zone`},
		"no zone":              {Options{Timezone: "Mars/Olympus"}, `"Mars/Olympus" is no zone`},
		"bad format":           {Options{TimestampFormat: "%d/%m"}, "format"},
		"map of no column":     {Options{Map: map[string]string{"cost": "x"}}, `"cost" is no column of a load`},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.options.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
