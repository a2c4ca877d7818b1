package record

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestFormatValidate(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Format)
		want   string // part of the error, "" for none
	}{
		{"plain", func(*Format) {}, ""},
		{"semicolon", func(f *Format) { f.Delimiter = ";" }, ""},
		{"tab", func(f *Format) { f.Delimiter = "\t" }, ""},
		{"decimal comma with commas between fields", func(f *Format) { f.DecimalComma = true }, ""},
		{"other columns", func(f *Format) { f.Fields, f.Timestamp, f.Price, f.UserID = 9, 8, 0, 4 }, ""},
		{"zone", func(f *Format) { f.Timezone = "America/Bogota" }, ""},
		{"UTC", func(f *Format) { f.Timezone = "UTC" }, ""},

		{"no delimiter", func(f *Format) { f.Delimiter = "" }, `delimiter "": expected one ASCII character`},
		{"two delimiters", func(f *Format) { f.Delimiter = ";;" }, "expected one ASCII character"},
		{"delimiter beyond ASCII", func(f *Format) { f.Delimiter = "§" }, "expected one ASCII character"},
		{"delimiter of one high byte", func(f *Format) { f.Delimiter = "\xff" }, "other than a quote, CR, LF or NUL"},
		{"quote as delimiter", func(f *Format) { f.Delimiter = `"` }, "other than a quote, CR, LF or NUL"},
		{"CR as delimiter", func(f *Format) { f.Delimiter = "\r" }, "other than a quote, CR, LF or NUL"},
		{"LF as delimiter", func(f *Format) { f.Delimiter = "\n" }, "other than a quote, CR, LF or NUL"},
		{"NUL as delimiter", func(f *Format) { f.Delimiter = "\x00" }, "other than a quote, CR, LF or NUL"},
		{"no fields", func(f *Format) { f.Fields = 0 }, "fields is 0"},
		{"column below", func(f *Format) { f.Price = -1 }, "column price is field -1: expected 0 to 2"},
		{"column beyond", func(f *Format) { f.UserID = 3 }, "column user_id is field 3: expected 0 to 2"},
		{"timestamp beyond", func(f *Format) { f.Timestamp = 1 << 40 }, "column timestamp"},
		{"one field twice", func(f *Format) { f.UserID = f.Price }, "a field of their own each"},
		{"local zone", func(f *Format) { f.Timezone = "Local" }, "another zone on another machine"},
		{"unknown zone", func(f *Format) { f.Timezone = "America/Macondo" }, "is not known"},
		{"zone by path", func(f *Format) { f.Timezone = "../../etc/passwd" }, "is not known"},
		{"bad timestamp format", func(f *Format) { f.TimestampFormat = "%Q" }, `timestamp format "%Q"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := prices(test.change)
			err := f.Validate()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, not one with %q", err, test.want)
			}
			if _, parserErr := NewParser(f); (parserErr == nil) != (err == nil) {
				t.Errorf("NewParser says %v", parserErr)
			}
		})
	}
}

func TestFormatComma(t *testing.T) {
	if got := (Format{}).Comma(); got != ',' {
		t.Errorf("without a delimiter: %q", got)
	}
	if got := (Format{Delimiter: ";"}).Comma(); got != ';' {
		t.Errorf("with a semicolon: %q", got)
	}
}

// The JSON is stored and compared, so a change of it is a change of the wire.
func TestFormatJSON(t *testing.T) {
	for _, test := range []struct {
		format Format
		want   string
	}{
		{prices(), `{"delimiter":",","fields":3,"timestamp":0,"price":1,"user_id":2}`},
		{
			Format{Delimiter: ";", DecimalComma: true, Fields: 5, Timestamp: 4, Price: 3, UserID: 0, TimestampFormat: "%d/%m/%Y", Timezone: "America/Bogota"},
			`{"delimiter":";","decimal_comma":true,"fields":5,"timestamp":4,"price":3,"user_id":0,"timestamp_format":"%d/%m/%Y","timezone":"America/Bogota"}`,
		},
	} {
		text, err := json.Marshal(test.format)
		if err != nil || string(text) != test.want {
			t.Errorf("%s (%v), not %s", text, err, test.want)
		}
		var back Format
		if err := json.Unmarshal(text, &back); err != nil || back != test.format {
			t.Errorf("%s reads as %+v (%v)", text, back, err)
		}
	}
}
