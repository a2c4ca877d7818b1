// Package netns gives a test a network of its own: hosts that are network
// namespaces, joined by a switch, each with an address. What one host sends
// another can be lost in the kernel of the receiver, in either direction, as
// behind a cable that was pulled. Nothing of it reaches this machine's network,
// and all of it goes with the process. Linux only, as root.
package netns

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/streamgauge/streamgauge/tests/harness"
)

// Unavailable says why there can be no network here; nil when there can.
func Unavailable() error {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		return errors.New("network namespaces need root on Linux")
	}
	for _, tool := range []string{"ip", "nft", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not installed (Debian has ip in iproute2, nft in nftables, nsenter in util-linux)", tool)
		}
	}
	file, err := create()
	if err != nil {
		return fmt.Errorf("the kernel gives no network namespace: %w", err)
	}
	defer file.Close()
	probe := &Host{file: file}
	return probe.run("ip link add type veth && nft add table inet probe")
}

// Network is not safe for concurrent use, its hosts' methods are.
type Network struct {
	t testing.TB
	// Switch joins the hosts. It has an address itself, and reaches all of them
	// at any time.
	Switch *Host
	hosts  []*Host
}

// Host is a network namespace.
type Host struct {
	// Name is for people, Address is its IP address.
	Name, Address string

	// closing is held while the file is used: who dials may outlast the test.
	closing sync.RWMutex
	file    *os.File
}

func (h *Host) close() {
	h.closing.Lock()
	defer h.closing.Unlock()
	_ = h.file.Close() // what still runs in it ends with the test
}

// New makes a network with a switch and no hosts. Where that can't be, it is
// harness.Unable.
func New(t testing.TB) *Network {
	t.Helper()
	if err := Unavailable(); err != nil {
		harness.Unable(t, "a partition needs a network of its own: ", err)
	}
	n := &Network{t: t}
	n.Switch = n.host("switch", 1)
	n.must(n.Switch.run("ip link add br0 type bridge && ip addr add " + n.Switch.Address + "/24 dev br0 && ip link set br0 up && ip link set lo up"))
	return n
}

func (n *Network) host(name string, number int) *Host {
	n.t.Helper()
	file, err := create()
	n.must(err)
	h := &Host{Name: name, Address: fmt.Sprintf("10.77.0.%d", number), file: file}
	n.t.Cleanup(h.close)
	return h
}

// Host adds a host to the network.
func (n *Network) Host(name string) *Host {
	n.t.Helper()
	number := 10 + len(n.hosts)
	h := n.host(name, number)
	n.hosts = append(n.hosts, h)
	n.must(n.Switch.run(fmt.Sprintf("ip link add v%d type veth peer name eth0 netns %s && ip link set v%d master br0 up", number, h.path(), number)))
	n.must(h.run(fmt.Sprintf(`ip link set lo up && ip addr add %s/24 dev eth0 && ip link set eth0 up &&
nft 'add table inet cut; add set inet cut lost { type ipv4_addr; }; add chain inet cut in { type filter hook input priority 0; }; add rule inet cut in ip saddr @lost drop'`, h.Address)))
	return h
}

// Cut has what one host sends the other get lost from now on, until Mend.
func (n *Network) Cut(from, to *Host) {
	n.t.Helper()
	n.must(to.run("nft add element inet cut lost { " + from.Address + " }"))
}

// CutBoth is Cut in both directions.
func (n *Network) CutBoth(one, other *Host) {
	n.t.Helper()
	n.Cut(one, other)
	n.Cut(other, one)
}

// Mend ends every Cut.
func (n *Network) Mend() {
	n.t.Helper()
	for _, h := range n.hosts {
		n.must(h.run("nft flush set inet cut lost"))
	}
}

func (n *Network) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// Through is what a program's command line has to begin with for it to run on the
// host.
func (h *Host) Through() []string { return []string{"nsenter", "--net=" + h.path(), "--"} }

// Dial connects from the host, to an IP address and a port.
func (h *Host) Dial(network, address string) (conn net.Conn, err error) {
	err = h.within(func() error {
		conn, err = (&net.Dialer{Timeout: dialTime}).DialContext(context.Background(), network, address)
		return err
	})
	return conn, err
}

const dialTime = 2 * time.Second

// Listen listens on the host. Connections notice within seconds that the other
// end is out of reach, as those of servers do that are set up for it.
func (h *Host) Listen() (listener net.Listener, err error) {
	config := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 2 * time.Second, Interval: time.Second, Count: 3}}
	err = h.within(func() error {
		listener, err = config.Listen(context.Background(), "tcp", net.JoinHostPort(h.Address, "0"))
		return err
	})
	return listener, err
}

// path names the namespace for as long as this process holds it.
func (h *Host) path() string {
	h.closing.RLock()
	defer h.closing.RUnlock()
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.file.Fd())
}

// enter moves the calling thread into the namespace.
func (h *Host) enter() error {
	h.closing.RLock()
	defer h.closing.RUnlock()
	return unix.Setns(int(h.file.Fd()), syscall.CLONE_NEWNET)
}

func (h *Host) run(script string) error {
	through := h.Through()
	cmd := exec.CommandContext(context.Background(), through[0], append(through[1:], "sh", "-ec", script)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(strings.Fields(script), " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// within calls f on a thread that is in the namespace: sockets belong to the one
// in which they were made.
func (h *Host) within(f func() error) error {
	result := make(chan error)
	go func() {
		// The thread is not given back, and so ends with the goroutine.
		runtime.LockOSThread()
		if err := h.enter(); err != nil {
			result <- fmt.Errorf("enter the network of %s: %w", h.Name, err)
			return
		}
		result <- f()
	}()
	return <-result
}

// create makes a network namespace that lasts as long as the file is open, or
// anything runs in it.
func create() (*os.File, error) {
	type made struct {
		file *os.File
		err  error
	}
	result := make(chan made)
	go func() {
		runtime.LockOSThread()
		if err := unix.Unshare(syscall.CLONE_NEWNET); err != nil {
			result <- made{nil, err}
			return
		}
		file, err := os.Open("/proc/thread-self/ns/net")
		result <- made{file, err}
	}()
	m := <-result
	return m.file, m.err
}
