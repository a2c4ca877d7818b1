// Package answer is the consumer as a NATS micro service: what it knows of the
// statistics and of each load, for whoever asks.
package answer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/streamgauge/streamgauge/shared/stats"
	"github.com/streamgauge/streamgauge/shared/topology"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// flushTime bounds the wait for NATS to know of the service.
const flushTime = time.Second

// Error codes of the service, as in HTTP.
const (
	codeBadRequest  = "400"
	codeUnavailable = "503"
)

// Database is what the answers come from; see store.Store.
type Database interface {
	Latest(ctx context.Context) (*stats.Snapshot, error)
	Ask(ctx context.Context, request wire.LoadRequest) (*wire.LoadReply, error)
}

// Serve answers until stop is called or ctx is over, which also breaks off the
// answers under way. Of several consumers one answers each question.
func Serve(ctx context.Context, nc *nats.Conn, database Database, version string, logger *slog.Logger) (stop func() error, err error) {
	config := micro.Config{
		Name:        topology.ServiceName,
		Version:     version,
		Description: "Running statistics of the loads into PostgreSQL, and the state of each load",
	}
	service, err := micro.AddService(nc, config)
	if errors.Is(err, micro.ErrConfigValidation) {
		// A service's version has to be semantic; that of a build need not be.
		config.Version = "0.0.0"
		service, err = micro.AddService(nc, config)
	}
	if err != nil {
		return nil, fmt.Errorf("offer the micro service: %w", err)
	}
	s := &endpoints{ctx: ctx, database: database, logger: logger}
	for subject, handler := range map[string]micro.HandlerFunc{
		topology.SubjectSnapshot: s.snapshot,
		topology.SubjectLoad:     s.load,
	} {
		name := subject[len(topology.ServiceName)+1:]
		if err := service.AddEndpoint(name, handler, micro.WithEndpointSubject(subject)); err != nil {
			return nil, fmt.Errorf("offer %s: %w", subject, err)
		}
	}
	// Whoever is told that the consumer is ready may ask at once. Without an
	// answer NATS is away, and is told of the subscriptions when it is back.
	if err := nc.FlushTimeout(flushTime); err != nil {
		logger.Debug("the micro service will be known later", "error", err)
	}
	return service.Stop, nil
}

type endpoints struct {
	ctx      context.Context //nolint:containedctx // micro's handlers are given none
	database Database
	logger   *slog.Logger
}

func (s *endpoints) snapshot(request micro.Request) {
	ctx, cancel := context.WithTimeout(s.ctx, topology.AnswerTimeout)
	defer cancel()
	snapshot, err := s.database.Latest(ctx)
	if err != nil {
		s.unavailable(request, err)
		return
	}
	line, err := snapshot.Encode()
	if err != nil {
		s.unavailable(request, err)
		return
	}
	s.sent(request.Respond(line))
}

func (s *endpoints) load(request micro.Request) {
	var question wire.LoadRequest
	if err := json.Unmarshal(request.Data(), &question); err != nil || !answerable(question) {
		s.sent(request.Error(codeBadRequest, `ask with {"source":"<id>"} or {"name":"<file name>"}`, nil))
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, topology.AnswerTimeout)
	defer cancel()
	reply, err := s.database.Ask(ctx, question)
	if err != nil {
		s.unavailable(request, err)
		return
	}
	line, err := stats.Line(reply) // whose names and reasons are shown by whatever asks
	if err != nil {
		s.unavailable(request, err)
		return
	}
	s.sent(request.Respond(line))
}

// answerable says whether the database can be asked: PostgreSQL's text holds no NUL.
func answerable(question wire.LoadRequest) bool {
	asked := question.Source + question.Name
	return asked != "" && !strings.ContainsRune(asked, 0)
}

func (s *endpoints) unavailable(request micro.Request, cause error) {
	s.logger.Warn("can't answer a question", "subject", request.Subject(), "error", cause)
	s.sent(request.Error(codeUnavailable, "the database does not answer", nil))
}

func (s *endpoints) sent(err error) {
	if err != nil {
		s.logger.Debug("an answer was not sent: whoever asked asks again", "error", err)
	}
}
