// Package proxy stands between a program and its server. It reads what the two
// say, frame by frame, and can lose, repeat, delay or reorder a frame, cut a
// connection before, within or behind it, and stop or slow a direction while
// the connection stays open. It knows the protocols of NATS and PostgreSQL, as
// far as that takes.
package proxy

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Direction is where a frame goes.
type Direction int

// The directions.
const (
	ToServer Direction = iota
	ToClient
)

// Frame is one message of the protocol.
type Frame struct {
	Direction Direction
	// Kind is the protocol's own name of the message: HPUB, MSG; Query,
	// CopyData, CommandComplete. Those that nobody asks for have none.
	Kind string
	// Subject and Reply are set for NATS messages.
	Subject, Reply string
	// SQL is the text of a PostgreSQL Query, Parse or Bind, and the tag of a
	// CommandComplete.
	SQL string
	// Data is the whole message as it travels.
	Data []byte
	// Then, if a judge sets it, is called once the frame has been forwarded.
	Then func()
	// Delay is how long a judge wants a Late frame held, and the second copy of a
	// Twice; zero means 30 ms for the one and at once for the other.
	Delay time.Duration
}

// Verdict says what becomes of a frame.
type Verdict int

// The verdicts. Those that cut end the connection on both sides.
const (
	// Pass forwards it.
	Pass Verdict = iota
	// Drop loses it.
	Drop
	// Twice forwards it twice.
	Twice
	// Late forwards it after those that follow within the delay.
	Late
	// Cut loses it and all that follows.
	Cut
	// CutWithin forwards its first half.
	CutWithin
	// CutBehind forwards it, and nothing more.
	CutBehind
)

// lateBy is how long a Late frame is held where nothing is said.
const lateBy = 30 * time.Millisecond

// Judge decides about each frame, and may do something to the processes at
// either end before it returns: the frame waits. It is called by several
// goroutines at once, one for each direction of each connection; the frame is
// its own until it returns.
type Judge func(*Frame) Verdict

// Proxy listens on a port, of 127.0.0.1 where nothing is said. It is safe for concurrent use.
type Proxy struct {
	target   string
	listener net.Listener
	protocol protocol

	mu     sync.Mutex
	judge  Judge
	links  map[*link]struct{}
	refuse bool
	closed bool
	gates  [2]gate
	slowed time.Time // until then each direction is a trickle
	ending sync.WaitGroup
}

// protocol makes a reader of frames for a direction of a new connection; share
// is what both directions of it have in common.
type protocol interface {
	link() (toServer, toClient func(*bufio.Reader) (*Frame, error))
}

// gate is one direction's flow.
type gate struct {
	opens chan struct{} // nil while it is open
}

// NATS returns a proxy to a NATS server, which ends with the test.
func NATS(t testing.TB, target string) *Proxy {
	t.Helper()
	return NATSOn(t, listen(t), target)
}

// NATSOn is NATS with a listener that is there.
func NATSOn(t testing.TB, listener net.Listener, target string) *Proxy {
	t.Helper()
	return start(t, listener, target, natsProtocol{})
}

// Postgres returns a proxy to a PostgreSQL server, which ends with the test.
func Postgres(t testing.TB, target string) *Proxy {
	t.Helper()
	return PostgresOn(t, listen(t), target)
}

// PostgresOn is Postgres with a listener that is there.
func PostgresOn(t testing.TB, listener net.Listener, target string) *Proxy {
	t.Helper()
	return start(t, listener, target, postgresProtocol{})
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func start(t testing.TB, listener net.Listener, target string, protocol protocol) *Proxy {
	t.Helper()
	p := &Proxy{target: target, listener: listener, protocol: protocol, links: make(map[*link]struct{})}
	p.ending.Go(p.serve)
	t.Cleanup(func() {
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		_ = listener.Close()
		p.Open()
		p.CutAll()
		p.ending.Wait()
	})
	return p
}

// Address is the host and port to connect to in the server's place.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// SetJudge replaces the judge; nil passes everything.
func (p *Proxy) SetJudge(judge Judge) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.judge = judge
}

// CutAll ends every connection.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// Refuse ends new connections at once, as a port nobody listens on does, until
// it is called with false.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

// Hold stops the flow in a direction, also of connections to come, until Open.
// The connections stay, as when a cable is pulled.
func (p *Proxy) Hold(d Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gates[d].opens == nil && !p.closed {
		p.gates[d].opens = make(chan struct{})
	}
}

// Open ends Hold, in both directions.
func (p *Proxy) Open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for d := range p.gates {
		if opens := p.gates[d].opens; opens != nil {
			close(opens)
			p.gates[d].opens = nil
		}
	}
}

// Trickle lets only a few bytes pass at a time, for so long.
func (p *Proxy) Trickle(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slowed = time.Now().Add(d)
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		refuse := p.refuse || p.closed
		p.mu.Unlock()
		if refuse {
			_ = client.Close()
			continue
		}
		p.ending.Go(func() { p.connect(client) })
	}
}

func (p *Proxy) connect(client net.Conn) {
	dialer := net.Dialer{Timeout: dialTime}
	server, err := dialer.DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{proxy: p}
	l.ends[ToServer].conn, l.ends[ToClient].conn = server, client
	p.mu.Lock()
	if p.closed || p.refuse {
		l.cut()
	}
	p.links[l] = struct{}{}
	p.mu.Unlock()
	toServer, toClient := p.protocol.link()
	var both sync.WaitGroup
	both.Go(func() { l.move(ToServer, client, toServer) })
	both.Go(func() { l.move(ToClient, server, toClient) })
	both.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// link is one connection.
type link struct {
	proxy *Proxy
	ends  [2]end // by the direction that is written to them
	once  sync.Once
}

type end struct {
	mu   sync.Mutex
	conn net.Conn
}

func (l *link) cut() {
	l.once.Do(func() {
		for i := range l.ends {
			// RST and not FIN: what was not read yet is lost, as in a crash.
			if tcp, ok := l.ends[i].conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			_ = l.ends[i].conn.Close()
		}
	})
}

func (l *link) move(d Direction, from io.Reader, next func(*bufio.Reader) (*Frame, error)) {
	defer l.cut()
	reader := bufio.NewReaderSize(from, 64<<10)
	for {
		frame, err := next(reader)
		if err != nil {
			return
		}
		frame.Direction = d
		l.proxy.pass(d)
		err = l.obey(frame, l.proxy.judgement(frame))
		if frame.Then != nil {
			frame.Then()
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) judgement(frame *Frame) Verdict {
	p.mu.Lock()
	judge := p.judge
	p.mu.Unlock()
	if judge == nil {
		return Pass
	}
	return judge(frame)
}

// pass waits while the direction is held.
func (p *Proxy) pass(d Direction) {
	for {
		p.mu.Lock()
		opens := p.gates[d].opens
		p.mu.Unlock()
		if opens == nil {
			return
		}
		<-opens
	}
}

// dialTime bounds a connection to the server.
const dialTime = 5 * time.Second

var errCut = errors.New("proxy: cut")

func (l *link) obey(frame *Frame, verdict Verdict) error {
	switch verdict {
	case Drop:
		return nil
	case Twice:
		if err := l.write(frame.Direction, frame.Data); err != nil {
			return err
		}
		if frame.Delay > 0 {
			l.writeLater(frame, frame.Delay)
			return nil
		}
		return l.write(frame.Direction, frame.Data)
	case Late:
		l.writeLater(frame, cmp.Or(frame.Delay, lateBy))
		return nil
	case Cut:
		return errCut
	case CutWithin:
		_ = l.write(frame.Direction, frame.Data[:len(frame.Data)/2])
		return errCut
	case CutBehind:
		_ = l.flushAndCut(frame)
		return errCut
	default:
		return l.write(frame.Direction, frame.Data)
	}
}

func (l *link) writeLater(frame *Frame, after time.Duration) {
	l.proxy.ending.Go(func() {
		timer := time.NewTimer(after)
		defer timer.Stop()
		<-timer.C
		_ = l.write(frame.Direction, frame.Data) // the connection may have ended
	})
}

// flushAndCut makes sure that the frame arrives: a reset could overtake it.
func (l *link) flushAndCut(frame *Frame) error {
	if err := l.write(frame.Direction, frame.Data); err != nil {
		return err
	}
	to := &l.ends[frame.Direction]
	to.mu.Lock()
	defer to.mu.Unlock()
	if tcp, ok := to.conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return nil
}

// What a trickle lets pass, and how often.
const (
	dropSize  = 512
	dropEvery = 2 * time.Millisecond
)

func (l *link) write(d Direction, data []byte) error {
	to := &l.ends[d]
	to.mu.Lock()
	defer to.mu.Unlock()
	for l.proxy.isSlow() && len(data) > 0 {
		n := min(dropSize, len(data))
		if _, err := to.conn.Write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
		timer := time.NewTimer(dropEvery)
		<-timer.C
	}
	_, err := to.conn.Write(data)
	return err
}

func (p *Proxy) isSlow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.slowed)
}
