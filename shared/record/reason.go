package record

// Reason says in words why a record or a value can't be stored and what was
// expected. Reasons are fixed texts that never hold a byte of the input, so
// they may be logged, stored and shown as they are. "" means nothing is wrong.
type Reason string

// Reasons that concern a whole record.
const (
	ReasonOpenQuote    Reason = "a quote opens on this line and is not closed within 100 lines, 64 KiB or the input"
	ReasonTooLong      Reason = "record is longer than 64 KiB"
	ReasonStrayQuote   Reason = "a quote stands inside a field that does not begin with one"
	ReasonAfterQuote   Reason = "a closing quote is followed by something other than a delimiter or the line end"
	ReasonFewerFields  Reason = "fewer fields than the source has columns"
	ReasonMoreFields   Reason = "more fields than the source has columns"
	ReasonUnclosedPart Reason = "a quoted field is not closed"
)

// Reasons that concern a timestamp.
const (
	ReasonTimestampEmpty      Reason = "timestamp is empty"
	ReasonTimestampSyntax     Reason = "not a timestamp: expected month/day/year or ISO 8601 (2012-01-10, 2012-01-10T13:45:56Z)"
	ReasonTimestampFormat     Reason = "not a timestamp in the given timestamp format"
	ReasonTimestampDate       Reason = "no such date: expected month/day/year or year-month-day, years 0001 to 9999"
	ReasonTimestampFormatDate Reason = "no such date in the given timestamp format, years 0001 to 9999"
	ReasonTimestampTime       Reason = "no such time of day"
	ReasonTimestampZone       Reason = "time zone offset is beyond 15:59"
)

// Reasons that concern a price.
const (
	ReasonPriceSyntax      Reason = "not a decimal number: expected digits with an optional sign, decimal point and exponent"
	ReasonPriceSyntaxComma Reason = "not a decimal number: expected digits with an optional sign, decimal comma and exponent"
	ReasonPriceDigits      Reason = "number has more than 38 digits"
	ReasonPriceScale       Reason = "number has more than 19 digits after the decimal point"
)

// Reasons that concern a user_id.
const (
	ReasonUserIDEmpty  Reason = "user_id is empty"
	ReasonUserIDSyntax Reason = "not an integer: expected digits with an optional sign"
	ReasonUserIDRange  Reason = "integer is outside the 64-bit range"
)
