package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"sync"
	"time"
)

const (
	binLength = 100 * time.Millisecond
	maxQueued = 65536 // requests that are due and wait for a connection
)

// What happened within one bin, or in the whole run.
type counts struct {
	Sent     int            `json:"sent"`
	Answers  map[string]int `json:"answers"` // "<version> <status>"; version "-" = not from the service itself
	Pods     map[string]int `json:"pods,omitempty"`
	Failures map[string]int `json:"failures,omitempty"`
	MaxMs    float64        `json:"max_ms"` // from the moment a request was due
}

func newCounts() *counts {
	return &counts{Answers: map[string]int{}, Pods: map[string]int{}, Failures: map[string]int{}}
}

func (c *counts) add(a answer, err error, latency time.Duration) {
	c.Sent++
	if ms := float64(latency.Microseconds()) / 1000; ms > c.MaxMs {
		c.MaxMs = ms
	}
	if err != nil {
		c.Failures[failureText(err)]++
		return
	}
	if a.version == "" {
		a.version = "-"
	}
	c.Answers[fmt.Sprintf("%s %d", a.version, a.status)]++
	if a.pod != "" {
		c.Pods[a.pod]++
	}
}

var localPort = regexp.MustCompile(`\d+\.\d+\.\d+\.\d+:\d+->`)

// Without the caller's own port, so that equal failures count as one.
func failureText(err error) string { return localPort.ReplaceAllString(err.Error(), "") }

type recorder struct {
	mutex sync.Mutex
	bin   *counts
	total *counts
	out   *json.Encoder
}

func newRecorder(w io.Writer) *recorder {
	return &recorder{bin: newCounts(), total: newCounts(), out: json.NewEncoder(w)}
}

func (r *recorder) add(a answer, err error, latency time.Duration) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.bin.add(a, err, latency)
	r.total.add(a, err, latency)
}

// Writes the bin that ended at `end` and begins the next. The encoder writes to the file at once: nothing is buffered.
func (r *recorder) flush(end time.Time) {
	r.mutex.Lock()
	bin := r.bin
	r.bin = newCounts()
	r.mutex.Unlock()
	r.out.Encode(struct {
		From float64 `json:"from"` // seconds since the epoch, by the time an answer was complete
		*counts
	}{seconds(end.Add(-binLength)), bin})
}

func (r *recorder) finish(reconnects int) {
	r.out.Encode(struct {
		Total      bool `json:"total"`
		Reconnects int  `json:"reconnects"`
		*counts
	}{true, reconnects, r.total})
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Writes a bin every binLength, at multiples of it, until `done` is closed; then the last one.
func (r *recorder) flushUntil(done <-chan struct{}) {
	next := time.Now().Truncate(binLength).Add(binLength)
	for {
		select {
		case <-time.After(time.Until(next)):
			r.flush(next)
			next = next.Add(binLength)
		case <-done:
			r.flush(next)
			return
		}
	}
}

// Open loop: a request is due when the clock says so, however slow the answers are.
func schedule(ctx context.Context, rate float64, record *recorder) <-chan time.Time {
	due := make(chan time.Time, maxQueued)
	go func() {
		defer close(due)
		begin := time.Now()
		for number := 0; ; number++ {
			at := begin.Add(time.Duration(float64(number) / rate * float64(time.Second)))
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(at)):
			}
			select {
			case due <- at:
			default:
				record.add(answer{}, fmt.Errorf("loader: %d requests wait for a connection", maxQueued), time.Since(at))
			}
		}
	}()
	return due
}

func loadCommand(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	target := flags.String("url", "", "where to send requests")
	host := flags.String("host", "", "Host header; the URL's own when left out")
	rate := flags.Float64("rps", 100, "requests per second")
	connections := flags.Int("connections", 8, "kept connections")
	duration := flags.Duration("duration", 0, "how long; 0 = until SIGTERM")
	wait := flags.Duration("wait", 0, "begin with the first good answer, which must come within this time")
	flags.Parse(arguments)
	if *rate <= 0 || *connections < 1 {
		return fmt.Errorf("--rps and --connections must be above 0")
	}
	if err := waitForAnswer(ctx, *target, *host, *wait); err != nil {
		return err
	}
	if *duration > 0 {
		limited, cancel := context.WithTimeout(ctx, *duration)
		defer cancel()
		ctx = limited
	}
	return load(ctx, os.Stdout, *target, *host, *rate, *connections)
}

// A Service that was just made is refused by nodes that have not heard of its pods yet: nothing that a release costs.
func waitForAnswer(ctx context.Context, target, host string, limit time.Duration) error {
	c, err := newClient(target, host)
	if err != nil {
		return err
	}
	defer c.close()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(binLength) {
		if a, err := c.ask(); err == nil && a.status == 200 {
			return nil
		}
	}
	if limit > 0 {
		return fmt.Errorf("%s gave no good answer within %s", target, limit)
	}
	return nil
}

func load(ctx context.Context, out io.Writer, target, host string, rate float64, connections int) error {
	record := newRecorder(out)
	clients := make([]*client, connections)
	for i := range clients {
		c, err := newClient(target, host)
		if err != nil {
			return err
		}
		clients[i] = c
	}
	due := schedule(ctx, rate, record)
	var workers sync.WaitGroup
	for _, c := range clients {
		workers.Add(1)
		go func(c *client) {
			defer workers.Done()
			for at := range due {
				a, err := c.ask()
				record.add(a, err, time.Since(at))
			}
			c.close()
		}(c)
	}
	done := make(chan struct{})
	go func() { workers.Wait(); close(done) }()
	record.flushUntil(done)
	reconnects := 0
	for _, c := range clients {
		reconnects += c.reconnects
	}
	record.finish(reconnects)
	return nil
}
