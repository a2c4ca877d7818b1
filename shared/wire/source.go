package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// SourceID names a source by its content: the SHA-256 of its (decompressed)
// bytes as sha256sum prints it, and "+label" when a label is given. The empty
// label is none.
func SourceID(digest [sha256.Size]byte, label string) string {
	id := hex.EncodeToString(digest[:])
	if label != "" {
		id += "+" + label
	}
	return id
}

// ValidateLabel reports whether label is 1 to MaxLabel of A-Z a-z 0-9 . _ -.
func ValidateLabel(label string) error {
	if label == "" || len(label) > MaxLabel {
		return fmt.Errorf("a label has 1 to %d characters, not %d", MaxLabel, len(label))
	}
	for _, c := range []byte(label) {
		if !isLabelByte(c) {
			return errors.New("a label holds only letters, digits, '.', '_' and '-'")
		}
	}
	return nil
}

// Name returns the name of a source whose file is called so: bytes that are no
// UTF-8 replaced by U+FFFD, and no more than its first MaxName bytes. Whoever looks
// a source up by its file's name has to ask for this.
func Name(file string) string {
	name := strings.ToValidUTF8(file, "\uFFFD")
	for len(name) > MaxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

func isLabelByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '.' || c == '_' || c == '-'
}

// ValidateSourceID reports whether id has the form that SourceID writes.
func ValidateSourceID(id string) error {
	digest, label, labelled := strings.Cut(id, "+")
	if !isDigest(digest) {
		return errors.New("not a SHA-256 in lower-case hex, with +label or without")
	}
	if labelled {
		return ValidateLabel(label)
	}
	return nil
}

func isDigest(text string) bool {
	return len(text) == hex.EncodedLen(sha256.Size) && strings.Trim(text, "0123456789abcdef") == ""
}
