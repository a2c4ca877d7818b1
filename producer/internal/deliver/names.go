package deliver

import (
	"context"
	"errors"
	"slices"

	"github.com/streamgauge/streamgauge/producer/internal/load"
	"github.com/streamgauge/streamgauge/shared/wire"
)

// maxNames is how many sources are remembered by their names. Beyond, the oldest
// are forgotten, which the database is the likeliest to know by then.
const maxNames = 10_000

// names is what this run has sent under which name. Until it is stored the
// database can't say that the name is taken. The zero value is empty.
type names struct {
	under   map[string][]*wire.Load
	sources map[string]*wire.Load
	oldest  []*wire.Load // first
}

// add remembers a source by the name it was sent under first, which is the one
// that it gets.
func (n *names) add(name, source string, size int64) {
	if n.sources[source] != nil {
		return
	}
	if n.under == nil {
		n.under, n.sources = make(map[string][]*wire.Load), make(map[string]*wire.Load)
	}
	if len(n.oldest) == maxNames {
		n.forget(n.oldest[0])
	}
	one := &wire.Load{Source: source, Name: name, Size: size}
	n.under[name] = append(n.under[name], one)
	n.sources[source] = one
	n.oldest = append(n.oldest, one)
}

func (n *names) forget(one *wire.Load) {
	is := func(other *wire.Load) bool { return other == one }
	delete(n.sources, one.Source)
	if n.under[one.Name] = slices.DeleteFunc(n.under[one.Name], is); len(n.under[one.Name]) == 0 {
		delete(n.under, one.Name)
	}
	n.oldest = slices.DeleteFunc(n.oldest, is)
}

// remember has judgeSent know of what is sent now. What is waited for is in the
// database before anything else is sent.
func (d *delivery) remember() {
	if !d.cfg.Wait && !d.known {
		d.names.add(d.ours.Name, d.ours.Source, d.survey.Size)
	}
}

// sentBefore is what this run has sent under the name, where a consumer will refuse
// this for it: it takes what is sent first for what the name stands for.
func (d *delivery) sentBefore() []*wire.Load {
	if d.ours.SameName || d.names.sources[d.ours.Source] != nil {
		return nil
	}
	return d.names.under[d.ours.Name]
}

// judgeSent is an error if other content was sent under the name before, unless it
// has been taken back, or stands under another name.
func (d *delivery) judgeSent(ctx context.Context) error {
	var stored, queued []*wire.Load
	for _, one := range slices.Clone(d.sentBefore()) {
		reply, answered, err := d.ask(ctx, wire.LoadRequest{Source: one.Source})
		switch {
		case err != nil:
			return err
		case !answered || reply.Load == nil:
			queued = append(queued, one)
		case reply.Load.Retired || reply.Load.Name != one.Name:
			d.names.forget(one)
		default:
			stored = append(stored, reply.Load)
		}
	}
	return nameTaken(stored, queued)
}

// nameTaken is nil if nothing has the name.
func nameTaken(stored, queued []*wire.Load) error {
	taken := &load.NameTakenError{Queued: len(stored) == 0}
	for _, other := range slices.Concat(stored, queued) {
		taken.Others = append(taken.Others, *other)
	}
	if len(taken.Others) == 0 {
		return nil
	}
	taken.Other = taken.Others[0]
	taken.Name = taken.Other.Name
	return taken
}

// judgeAgain judges what is stored once all is sent: others may have been quicker,
// and have the name, or the same source cut otherwise. Silence is no error: then
// the consumer's log will say so.
func (d *delivery) judgeAgain(ctx context.Context) error {
	if d.silent() {
		return nil
	}
	reply, answered, err := d.ask(ctx, wire.LoadRequest{Source: d.ours.Source, Name: d.ours.Name})
	if err != nil || !answered {
		return nil //nolint:nilerr // everything is queued, whatever ends the question
	}
	_, err = d.ours.Judge(reply)
	if _, taken := errors.AsType[*load.NameTakenError](err); taken {
		// It will not get the name.
		if one := d.names.sources[d.ours.Source]; one != nil {
			d.names.forget(one)
		}
	}
	return err
}
