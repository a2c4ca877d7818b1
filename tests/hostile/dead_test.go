package hostile

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"

	"github.com/streamgauge/streamgauge/shared/record"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
	"github.com/streamgauge/streamgauge/tests/harness"
	"github.com/streamgauge/streamgauge/tests/oracle"
)

// dead is a message as it has to stand in dead_batches.
type dead struct{ Subject, Headers, Payload string }

// checkDead compares the messages that were set aside with those that were
// planted, in their order.
func checkDead(t *testing.T, env *harness.Env, planted []dead) {
	t.Helper()
	query, err := env.DB.Query(t.Context(), "SELECT subject, headers, payload FROM dead_batches ORDER BY stream_sequence, stream_time")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := pgx.CollectRows(query, func(row pgx.CollectableRow) (dead, error) {
		var d dead
		var headers, payload []byte
		err := row.Scan(&d.Subject, &headers, &payload)
		d.Headers, d.Payload = string(headers), string(payload)
		return d, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(planted, stored); diff != "" {
		t.Errorf("set aside: want (-), have (+):\n%s", diff)
	}
}

// plant publishes messages that no producer sends: garbage, and a batch whose
// name is taken. It returns what has to be set aside.
func plant(t *testing.T, env *harness.Env) (planted []dead) {
	t.Helper()
	conn := env.Conn(t)
	garbage := []*nats.Msg{
		{Subject: "rows.price", Data: []byte("\x1b[2J\x9b31m\u202e\x00\r\nlevel=ERROR"), Header: nats.Header{"Colour": {"\u009b2J\u202e\x1b[31m"}, wire.HeaderSource: {"\x1b]0;x\x07"}}},
		{Subject: "rows.\x1b[2J", Data: []byte("x")},
		{Subject: "rows.\u202e\u009b", Data: nil},
		{Subject: "rows.\xff\xfe", Data: []byte("\xff")},
		{Subject: "rows.level=ERROR", Header: nats.Header{wire.HeaderVersion: {"99999999999"}}},
		{Subject: "rows.price", Header: nats.Header{wire.HeaderVersion: {"1"}, wire.HeaderSource: {strings.Repeat("0", 64)}, wire.HeaderName: {"%1B%5B2J"}, wire.HeaderPlan: {"{\"\u009b\":\"\x1b\"}"}}},
	}
	for _, msg := range garbage {
		if err := conn.PublishMsg(msg); err != nil {
			t.Fatal(err)
		}
		set := dead{Subject: strings.ToValidUTF8(msg.Subject, "\ufffd"), Payload: string(msg.Data)}
		if msg.Header != nil {
			set.Headers = "NATS/1.0\r\n"
			for _, name := range slices.Sorted(maps.Keys(msg.Header)) {
				set.Headers += name + ": " + msg.Header.Get(name) + "\r\n"
			}
			set.Headers += "\r\n"
		}
		planted = append(planted, set)
	}
	body := []byte("1/1/2012,50,1\n")
	taken := &wire.Batch{
		Source: oracle.ID(body, ""), Name: "\x1b[2J\x1b[31mred.csv", Size: 1, Number: 1, Batches: 1, FirstLine: 2, Records: 1, Body: body,
		Plan: wire.Plan{Format: record.Format{Delimiter: ",", Fields: 3, Price: 1, UserID: 2}, BatchSize: 1},
	}
	header, err := taken.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.PublishMsg(&nats.Msg{Subject: topology.SubjectRows, Header: header, Data: body}); err != nil {
		t.Fatal(err)
	}
	if err := conn.FlushTimeout(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	return planted
}

// malformed are header blocks that no client writes and none can read.
var malformed = []string{
	"NATS/1.0\r\nno colon\r\n\r\n",
	"NATS/1.0\r\n\x1b[2J: \u202e\r\n\r\n",
	"NATS/1.0\r\n: empty\r\n\r\n",
	"NATS/1.0\r\nStreamgauge-Version: 1",
	"HTTP/1.1 200 OK\r\n\r\n",
	"\x00\xff\x1b[2J",
}

// plantRaw publishes messages with malformed headers by writing NATS's protocol
// itself. It returns what has to be set aside.
func plantRaw(t *testing.T, env *harness.Env) (planted []dead) {
	t.Helper()
	server, err := url.Parse(env.NATSURL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	password, _ := server.User.Password()
	connect, err := json.Marshal(map[string]any{
		"user": server.User.Username(), "pass": password, "headers": true, "no_responders": true, "protocol": 1, "lang": "raw", "version": "1",
	})
	if err != nil {
		t.Fatal(err)
	}
	var commands strings.Builder
	fmt.Fprintf(&commands, "CONNECT %s\r\n", connect)
	for i, block := range malformed {
		body := fmt.Sprintf("body %d", i)
		fmt.Fprintf(&commands, "HPUB rows.price %d %d\r\n%s%s\r\n", len(block), len(block)+len(body), block, body)
		planted = append(planted, dead{Subject: topology.SubjectRows, Headers: block, Payload: body})
	}
	commands.WriteString("PING\r\n")
	if _, err := conn.Write([]byte(commands.String())); err != nil {
		t.Fatal(err)
	}
	for answers := bufio.NewScanner(conn); answers.Scan(); {
		line := answers.Text()
		if strings.HasPrefix(line, "-ERR") {
			t.Fatalf("NATS refuses: %q", line)
		}
		if line == "PONG" {
			return planted
		}
	}
	t.Fatal("NATS does not answer")
	return nil
}
