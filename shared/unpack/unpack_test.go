package unpack_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/streamgauge/streamgauge/shared/unpack"
)

const content = "timestamp,price,user_id\n1/10/2012,50,9\n"

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	closed(t, w, text)
	return out.Bytes()
}

func zstandard(t *testing.T, text string, options ...zstd.EOption) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, options...)
	if err != nil {
		t.Fatal(err)
	}
	closed(t, w, text)
	return out.Bytes()
}

func closed(t *testing.T, w io.WriteCloser, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// zipped makes an archive of names and their contents, in turns.
func zipped(t *testing.T, method uint16, entries ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for entry := range slices.Chunk(entries, 2) {
		w, err := archive.CreateHeader(&zip.FileHeader{Name: entry[0], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, entry[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readAll returns what is in each CSV of a file, read a second time.
func readAll(file []byte) (map[string]string, error) {
	found, err := unpack.Find(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	contents := make(map[string]string)
	for range 2 {
		for _, csv := range found {
			from, err := csv.Open()
			if err != nil {
				return nil, err
			}
			read, err := io.ReadAll(from)
			if err != nil {
				return nil, err
			}
			if err := from.Close(); err != nil {
				return nil, err
			}
			contents[csv.Name("a")] = string(read)
		}
	}
	return contents, nil
}

func TestFind(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		want map[string]string
	}{
		"plain":              {[]byte(content), map[string]string{"a": content}},
		"empty":              {nil, map[string]string{"a": ""}},
		"short":              {[]byte("PK"), map[string]string{"a": "PK"}},
		"gzip":               {gzipped(t, content), map[string]string{"a": content}},
		"gzip, concatenated": {append(gzipped(t, content), gzipped(t, "x")...), map[string]string{"a": content + "x"}},
		"gzip, padded":       {append(append(gzipped(t, content), gzipped(t, "x")...), make([]byte, 10_000)...), map[string]string{"a": content + "x"}},
		"gzip of nothing":    {gzipped(t, ""), map[string]string{"a": ""}},
		"zstd":               {zstandard(t, content), map[string]string{"a": content}},
		"zstd, concatenated": {append(zstandard(t, content), zstandard(t, "x")...), map[string]string{"a": content + "x"}},
		"zstd, 8 MiB window": {zstandard(t, content, zstd.WithWindowSize(8<<20), zstd.WithSingleSegment(false)), map[string]string{"a": content}},
		"zip": {
			zipped(t, zip.Deflate, "b.csv", content, "c/d.CSV", "x", "notes.txt", "-", ".hidden.csv", "-", "__MACOSX/b.csv", "-", "e.csv/", ""),
			map[string]string{"a!b.csv": content, "a!c/d.CSV": "x"},
		},
		"zip, stored": {zipped(t, zip.Store, "b.csv", content), map[string]string{"a!b.csv": content}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(c.file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("contents (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCorrupt(t *testing.T) {
	long := strings.Repeat(content, 100)
	archive := zipped(t, zip.Deflate, "b.csv", long)
	var crowded []string
	for i := range 60_000 {
		crowded = append(crowded, fmt.Sprintf("%050d.csv", i), "")
	}
	wide := zstandard(t, strings.Repeat("x", 1<<20), zstd.WithWindowSize(16<<20), zstd.WithSingleSegment(false))
	flipped := func(file []byte, at int) []byte {
		file = bytes.Clone(file)
		file[at] ^= 0x40
		return file
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"gzip, cut off":         {gzipped(t, long)[:60], "it is compressed, and cut off before its end. Copy or download it again"},
		"gzip, magic only":      {[]byte{0x1f, 0x8b}, "it is compressed, and cut off before its end. Copy or download it again"},
		"gzip, checksum":        {flipped(gzipped(t, long), len(gzipped(t, long))-6), "it is compressed, and damaged: its checksum is another. Copy or download it again"},
		"gzip, rest":            {append(gzipped(t, long), "rest of it"...), "it is compressed, and damaged or cut off. Copy or download it again"},
		"gzip, padding, rest":   {append(append(gzipped(t, long), make([]byte, 512)...), 1), "it is compressed, and damaged or cut off. Copy or download it again"},
		"gzip, padding, member": {append(append(gzipped(t, long), 0), gzipped(t, long)...), "it is compressed, and damaged or cut off. Copy or download it again"},
		"gzip, second cut off":  {append(gzipped(t, long), gzipped(t, long)[:60]...), "it is compressed, and cut off before its end. Copy or download it again"},
		"gzip, second's magic":  {append(gzipped(t, long), 0x1f), "it is compressed, and cut off before its end. Copy or download it again"},
		"zstd, cut off":         {zstandard(t, long)[:30], "it is compressed, and cut off before its end. Copy or download it again"},
		"zstd, damaged":         {flipped(zstandard(t, long), 4), "it is compressed, and damaged or cut off. Copy or download it again"},
		"zstd, checksum":        {flipped(zstandard(t, long), len(zstandard(t, long))-1), "it is compressed, and damaged: its checksum is another. Copy or download it again"},
		"zstd, memory":          {wide, "it takes more than 8 MiB of memory to decompress. Compress it again without --ultra and --long, or pipe it: 'zstd -dc --long=31 FILE | producer -'"},
		"zip, cut off":          {archive[:len(archive)/2], "it is compressed, and damaged or cut off. Copy or download it again"},
		"zip, damaged":          {flipped(archive, 50), "it is compressed, and damaged or cut off. Copy or download it again"},
		"zip, encrypted":        {flippedFlag(archive), "it is encrypted. Unzip it with its password, and name the files"},
		"zip, other method":     {bytes.ReplaceAll(archive, []byte{0x14, 0, 8, 0, 8, 0}, []byte{0x14, 0, 8, 0, 9, 0}), "it is compressed with another method than deflate. Unzip it, and name the files"},
		"zip, nothing":          {zipped(t, zip.Deflate), "it is a zip archive without a .csv file. Name another file"},
		"zip, workbook":         {zipped(t, zip.Deflate, "[Content_Types].xml", "x", "xl/workbook.xml", "x"), "it is an Excel workbook, or another Office file. Save it as CSV, and name that"},
		"zip, no CSV":           {zipped(t, zip.Deflate, "a.txt", "x"), "it is a zip archive without a .csv file. Name another file"},
		"zip, too many entries": {zipped(t, zip.Store, crowded...), "it is a zip archive of too many files. Unzip it, and name the files"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(c.file)
			if _, corrupt := errors.AsType[*unpack.CorruptError](err); !corrupt {
				t.Fatalf("read %.40q, error %v", got, err)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

// flippedFlag says of an archive's one entry that it is encrypted.
func flippedFlag(archive []byte) []byte {
	return bytes.ReplaceAll(archive, []byte{0x14, 0, 8, 0, 8, 0}, []byte{0x14, 0, 9, 0, 8, 0})
}

// A disk's failure is no damage to the file.
func TestFailingFile(t *testing.T) {
	for name, file := range map[string][]byte{
		"gzip": gzipped(t, content), "zstd": zstandard(t, content), "zip": zipped(t, zip.Deflate, "b.csv", content),
	} {
		failing := &failing{bytes.NewReader(file), nil}
		found, err := unpack.Find(failing, int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		failing.err = errors.New("the disk is gone")
		from, err := found[0].Open()
		if err == nil {
			_, err = io.ReadAll(from)
		}
		if !errors.Is(err, failing.err) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

type failing struct {
	io.ReaderAt

	err error
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, off)
}

func FuzzFind(f *testing.F) {
	f.Add([]byte(content))
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("\x1f\x8b\bA000000")) // ends within its own header
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, file []byte) {
		found, err := unpack.Find(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		for _, csv := range found {
			from, err := csv.Open()
			if err != nil {
				continue
			}
			// A small file may stand for a large one.
			if _, err := io.CopyN(io.Discard, from, 1<<20); err != nil && !csv.Packed() && !errors.Is(err, io.EOF) {
				t.Errorf("a plain file fails: %v", err)
			}
			if err := from.Close(); err != nil && !csv.Packed() {
				t.Error(err)
			}
		}
	})
}
