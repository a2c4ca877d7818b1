package main

// mutant is the product with a mistake in it that would break a promise.
type mutant struct {
	name string
	what string
	// faults are the scenarios that can show it, simulation the package of the
	// simulated schedules that can: one of the two.
	faults, simulation string
	edits              []edit
}

// edit replaces old, which has to stand in the file once.
type edit struct{ file, old, new string }

const (
	claimFile    = "consumer/internal/store/claim.go"
	storeFile    = "consumer/internal/store/store.go"
	writerFile   = "consumer/internal/pipeline/writer.go"
	copyFile     = "consumer/internal/pgcopy/pgcopy.go"
	decodeFile   = "consumer/internal/decode/decode.go"
	loadFile     = "producer/internal/deliver/load.go"
	sendFile     = "producer/internal/deliver/send.go"
	lostFile     = "producer/internal/commit/lost.go"
	topologyFile = "shared/topology/topology.go"

	producerSimulation = "./producer/internal/simulation"
	consumerSimulation = "./consumer/internal/simulation"
)

const (
	writeCall = "	result, err := w.database.Write(ctx, batches, dead, w.config.Announce)"
	ackFirst  = "	for _, it := range items {\n		_ = it.message.Ack()\n	}\n"
)

var mutants = []mutant{
	{
		name: "ledger-skipped", what: "batches are stored whether the ledger had them or not",
		faults: "commit-reply-lost,ack-lost,puback-lost",
		edits:  []edit{{claimFile, "if i := candidates[k]; returned[k] {", "if i := candidates[k]; returned[k] || true {"}},
	},
	{
		name: "ack-before-commit", what: "messages are acknowledged before the transaction",
		faults: "kill-unwaited",
		edits:  []edit{{writerFile, writeCall, ackFirst + writeCall}},
	},
	{
		name: "late-redelivery", what: "what a dead consumer held comes again after 15 s, while the others work on",
		faults: "kill-consumer,many-consumers",
		edits:  []edit{{topologyFile, "AckWait = 6 * time.Second", "AckWait = 15 * time.Second"}},
	},
	{
		name: "commit-failure-is-failure", what: "after a failed COMMIT the batches are written again under new keys",
		faults: "commit-reply-lost",
		edits: []edit{{
			writerFile, "		case store.Retry:\n",
			"		case store.Retry:\n			for _, it := range items {\n				if it.batch != nil {\n					it.batch.Number += 1_000_000\n				}\n			}\n",
		}},
	},
	{
		name: "unsorted-keys", what: "the ledger's keys are inserted in the order in which they came",
		faults: "same-keys",
		edits: []edit{
			{claimFile, " ORDER BY source_id, batch\n", ""},
			{claimFile, "	slices.SortFunc(keys, func(a, b key) int {", "	_ = slices.IsSortedFunc(keys, func(a, b key) int {"},
		},
	},
	{
		name: "text-copy", what: "rows go in by COPY in text, a record as it stands in the file among them",
		faults: "terminate,poison",
		edits: []edit{
			{copyFile, "(FORMAT binary)`", "(FORMAT text)`"},
			{copyFile, "import (\n", "import (\n	\"bytes\"\n	\"fmt\"\n	\"time\"\n"},
			{copyFile, "return &reader{chunks: append(append([][]byte{header}, chunks...), trailer)}", "_, _ = header, trailer\n	return &reader{chunks: chunks}"},
			{copyFile, "// AppendRow appends", `func AppendRow(dst []byte, row *record.Row) []byte {
	price := row.Price.String()
	if row.Price.Null {
		price = "\\N"
	}
	at := time.UnixMicro(row.Timestamp).UTC().Format("2006-01-02 15:04:05.999999")
	return fmt.Appendf(dst, "%010d\t%d\t%s\t%d\t%s\n", 0, row.Line, at, row.UserID, price)
}

func SetSource(rows []byte, sourceID int32) {
	for row := range bytes.Lines(rows) {
		if len(row) > 10 {
			copy(row, fmt.Sprintf("%010d", sourceID))
		}
	}
}

// AppendRow appends`},
			{copyFile, "func AppendRow(dst []byte, row *record.Row) []byte {\n	dst = slices", "func appendBinary(dst []byte, row *record.Row) []byte {\n	dst = slices"},
			{copyFile, "func SetSource(rows []byte, sourceID int32) {\n	for len(rows) > 0 {", "func setBinarySource(rows []byte, sourceID int32) {\n	for len(rows) > 0 {"},
			{decodeFile, "		end, reject := d.parser.ParseLine(lines, line, &row)\n", `		end, reject := d.parser.ParseLine(lines, line, &row)
		if string(lines[:end]) == "\\.\n" {
			batch.Rows = append(batch.Rows, lines[:end]...)
			lines = lines[end:]
			line++
			continue
		}
`},
		},
	},
	{
		name: "stats-outside", what: "the statistics are brought up to date in a transaction of their own",
		faults: "kill-unwaited",
		edits: []edit{{
			storeFile, "	result.Snapshot, result.Completed, err = advance(ctx, tx, fresh, result.Dead)",
			"	if err := tx.Commit(ctx); err != nil {\n		return nil, err\n	}\n	if tx, err = tx.Conn().Begin(ctx); err != nil {\n		return nil, err\n	}\n	result.Snapshot, result.Completed, err = advance(ctx, tx, fresh, result.Dead)",
		}},
	},
	{
		name: "ack-before-commit, simulated", what: "messages are acknowledged before the transaction",
		simulation: consumerSimulation,
		edits:      []edit{{writerFile, writeCall, ackFirst + writeCall}},
	},
	{
		name: "puback-is-committed", what: "--wait ends when the stream has everything",
		simulation: producerSimulation,
		edits: []edit{{
			sendFile, "	stored, err := w.Wait(ctx)\n",
			"	stored, err := &wire.Load{Rows: d.ours.Records}, ctx.Err()\n",
		}},
	},
	{
		name: "ledger-before-stream", what: "what is lost is decided by what the ledger lacked before the stream was looked at",
		simulation: producerSimulation,
		edits: []edit{{
			lostFile, "	reply, err := w.askAll(ctx, wire.MaxMissing)\n",
			"	before := stored\n	reply, err := w.askAll(ctx, wire.MaxMissing)\n",
		}, {
			lostFile, "	still := w.missing(stored)\n", "	still := w.missing(before)\n",
		}},
	},
	{
		name: "dead-forgotten", what: "a batch that was set aside counts as lost each time",
		simulation: producerSimulation,
		edits:      []edit{{lostFile, "sequence != 0 && sequence == one.Sequence", "sequence != 0 && sequence == one.Sequence && false"}},
	},
	{
		name: "dead-given-up-early", what: "a batch that was set aside is sent once more and then given up",
		simulation: producerSimulation,
		edits:      []edit{{lostFile, "w.deaths[number] == attempts", "w.deaths[number] == attempts-1"}},
	},
	{
		name: "present-is-lost", what: "a batch whose message waits in the stream counts as lost",
		simulation: producerSimulation,
		edits:      []edit{{lostFile, "				present++\n", "				found[i].add(number)\n"}},
	},
	{
		name: "plan-not-adopted", what: "a file is sent again by its own batch size when the answer says another",
		simulation: producerSimulation,
		edits: []edit{{
			loadFile, "		if err := d.adopt(ctx, other); err != nil {\n			return d.fail(",
			"		_ = other\n		if err := error(nil); err != nil {\n			return d.fail(",
		}},
	},
	{
		name: "sequences-kept-of-the-first", what: "the sequence of a batch that is sent again is not noted",
		simulation: producerSimulation,
		edits: []edit{{
			sendFile, "	return d.sequences.Set(number, sequence)\n",
			"	if d.waiting {\n		return nil\n	}\n	return d.sequences.Set(number, sequence)\n",
		}},
	},
}
