package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

type holdReport struct {
	At      float64 `json:"at"`
	Lines   int64   `json:"lines"` // so far
	Version string  `json:"version"`
	Pod     string  `json:"pod"`
	Broken  string  `json:"broken,omitempty"`
	Total   bool    `json:"total,omitempty"` // the last report
}

func holdCommand(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("hold", flag.ExitOnError)
	target := flags.String("url", "", "a URL whose answer is a stream of lines")
	host := flags.String("host", "", "Host header; the URL's own when left out")
	flags.Parse(arguments)
	return hold(ctx, os.Stdout, *target, *host)
}

// Reads one stream until it breaks or ctx ends. The stream has no end of its own: an orderly end is a break, too.
func hold(ctx context.Context, w io.Writer, target, host string) error {
	c, err := newClient(target, host)
	if err != nil {
		return err
	}
	response, err := c.send()
	if err != nil {
		return err
	}
	if response.StatusCode != 200 {
		return fmt.Errorf("%s answered %s", target, response.Status)
	}
	var lines atomic.Int64
	broken := make(chan error, 1)
	go func() { broken <- readLines(c, bufio.NewReader(response.Body), &lines) }()

	out := json.NewEncoder(w)
	report := func(why string, last bool) {
		out.Encode(holdReport{seconds(time.Now()), lines.Load(), response.Header.Get("X-Revision"),
			response.Header.Get("X-Pod"), why, last})
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			report("", false)
		case err := <-broken:
			report(failureText(err), true)
			return fmt.Errorf("the stream broke: %w", err)
		case <-ctx.Done():
			report("", true)
			c.close()
			return nil
		}
	}
}

func readLines(c *client, reader *bufio.Reader, lines *atomic.Int64) error {
	for {
		c.conn.SetDeadline(time.Now().Add(requestTimeout))
		line, err := reader.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.TrimSpace(line) != "" {
			lines.Add(1)
		}
	}
}
