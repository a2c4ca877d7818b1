// Package record cuts bytes into CSV records and reads records into rows.
//
// Both sides of the pipeline use it on the same bytes: the producer cuts a
// file into records and groups them into batches, the consumer cuts each batch
// again and reads its records. What is written here is therefore the agreement
// between them, and a change of any rule below is a change of the wire.
//
// # Records
//
// A record is what RFC 4180, section 2, describes, read as encoding/csv does:
//
//   - A line ends at LF; a CR directly before that LF belongs to the line end
//     (RFC 4180 rules 1 and 2 ask for CRLF and let the last line have none).
//     At the end of the input a lone CR counts as a line end too.
//   - A line that holds nothing but its line end is blank, and is no record.
//     A line of spaces is a record.
//   - Fields are separated by one delimiter, an ASCII byte (rule 4).
//   - A field whose first byte is a quote (") is quoted. It may hold
//     delimiters and line ends (rule 6). Inside, two quotes stand for one
//     (rule 7), and the first other quote ends the quoted part. If neither a
//     delimiter nor a line end follows, the rest of the field is taken as it
//     stands for cutting, and [Parser.Parse] rejects the record.
//   - A quote in a field that does not begin with one is plain data for
//     cutting, and makes [Parser.Parse] reject the record (rule 5).
//   - Any other byte is data: NUL, invalid UTF-8, control characters.
//
// # Limits
//
// Three limits keep one damaged record from taking the rest of a file with it,
// and memory bounded:
//
//   - A record of more than [MaxLength] bytes is a [TooLong] record. Its first
//     bytes, length and digest are all that is kept of it.
//   - A quote that is not closed within [MaxQuotedBytes] bytes, on one of
//     [MaxQuotedLines] lines, or before the end of the input, makes an
//     [OpenQuote] record: the record ends with the line on which that quote
//     opened, and the next record begins on the next line.
//   - A record that is both is TooLong.
//
// A line end inside quotes counts as one byte towards MaxQuotedBytes, CRLF or
// not. That makes the limits blind to the one change that a batch may make to
// its bytes, a blank line written as a bare LF, and gives the property that
// batches rest on: take any consecutive records of an input that are not
// TooLong, join their Bytes, put as many LF before each as it has blank lines
// before it; cutting that gives the same records, on the same lines, with the
// same faults.
//
// Scanning is linear in the input whatever it holds. Between the opening of a
// quote that is never closed and the limit there are only doubled quotes, and
// doubled quotes open nothing that lasts beyond them, so the stretch that a
// given-up quote makes the Cutter read twice holds no other such quote.
//
// # Fields
//
// Spaces and tabs around a field's content are not part of it, inside quotes
// or not. A field that is then empty counts as empty, quoted or not.
//
//   - price is an exact decimal by the rules of PostgreSQL's numeric input; see
//     [ParseDecimal]. Empty is null.
//   - user_id is a signed 64-bit decimal integer, as PostgreSQL's bigint.
//   - timestamp is read by the built-in formats or by a strptime format; see
//     [Format].
//
// The content of other columns is never looked at.
package record
