package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func testService(t *testing.T, errorRate float64) (*service, *httptest.Server) {
	t.Helper()
	s := &service{version: "v1", pod: "p1", errorRate: errorRate, draining: make(chan struct{})}
	s.ready.Store(true)
	server := httptest.NewServer(s.handler())
	t.Cleanup(server.Close)
	return s, server
}

func runLoad(t *testing.T, target string, rate float64, connections int, howLong time.Duration) (bins []counts, total counts) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), howLong)
	defer cancel()
	var out bytes.Buffer
	if err := load(ctx, &out, target, "shop.example.com", rate, connections); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, line := range lines {
		var c counts
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if i == len(lines)-1 {
			return bins, c
		}
		bins = append(bins, c)
	}
	return
}

func TestErrorsComeAtTheirRate(t *testing.T) {
	for _, rate := range []float64{0, 0.01, 0.1, 0.5, 1} {
		bad := 0
		for n := uint64(1); n <= 1000; n++ {
			if isBad(n, rate) {
				bad++
			}
		}
		if want := int(1000 * rate); bad != want {
			t.Errorf("rate %v: %d of 1000 are bad, want %d", rate, bad, want)
		}
	}
}

func TestEveryAnswerIsCounted(t *testing.T) {
	s, server := testService(t, 0.1)
	bins, total := runLoad(t, server.URL, 500, 4, 600*time.Millisecond)
	if served := int(s.served.Load()); total.Sent != served {
		t.Errorf("sent %d, served %d", total.Sent, served)
	}
	if total.Answers["v1 200"]+total.Answers["v1 500"] != total.Sent || total.Answers["v1 500"] != total.Sent/10 {
		t.Errorf("answers %v of %d", total.Answers, total.Sent)
	}
	sum := 0
	for _, bin := range bins {
		sum += bin.Sent
	}
	if sum != total.Sent || len(bins) < 5 {
		t.Errorf("%d bins with %d of %d requests", len(bins), sum, total.Sent)
	}
}

// A server that ends every second connection without an answer: net/http's client would hide it.
func TestABrokenConnectionIsAFailureAndNotRepeated(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if requests++; requests%2 == 0 {
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
			return
		}
		w.Write([]byte("ok"))
	}))
	defer server.Close()
	_, total := runLoad(t, server.URL, 100, 1, 300*time.Millisecond)
	failures := 0
	for _, n := range total.Failures {
		failures += n
	}
	if failures != requests/2 || total.Sent != requests {
		t.Errorf("%d failures in %d requests (%d sent): %v", failures, requests, total.Sent, total.Failures)
	}
}

func TestNoServerIsAFailureForEachRequest(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	_, total := runLoad(t, "http://"+address, 100, 2, 200*time.Millisecond)
	if len(total.Answers) != 0 || len(total.Failures) != 1 || total.Sent == 0 {
		t.Errorf("%+v", total)
	}
}

func TestDrainingAsksCallersToCloseAndFailsReadiness(t *testing.T) {
	s, server := testService(t, 0)
	close(s.draining)
	_, total := runLoad(t, server.URL, 100, 2, 200*time.Millisecond)
	if total.Answers["v1 200"] != total.Sent || len(total.Failures) != 0 {
		t.Errorf("%+v", total)
	}
	response, err := http.Get(server.URL + "/healthz")
	if err != nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("healthz: %v %v", response, err)
	}
}

func TestEachRequestHasItsOwnConnectionWhereAskedFor(t *testing.T) {
	s, server := testService(t, 0)
	c, err := newClient(server.URL+"/once", "")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 3; i++ {
		if a, err := c.ask(); err != nil || a.status != 200 || c.conn != nil {
			t.Errorf("%+v, %v, kept: %v", a, err, c.conn != nil)
		}
	}
	if s.served.Load() != 3 {
		t.Errorf("served %d", s.served.Load())
	}
}

func TestAStreamThatEndsIsABreak(t *testing.T) {
	s, server := testService(t, 0)
	var out bytes.Buffer
	time.AfterFunc(350*time.Millisecond, func() { close(s.draining) })
	if err := hold(context.Background(), &out, server.URL+"/stream", ""); err == nil {
		t.Errorf("no error: %s", out.String())
	}
	if !strings.Contains(out.String(), `"broken":"EOF"`) || !strings.Contains(out.String(), `"lines":4`) {
		t.Error(out.String())
	}
}

func TestAStreamHeldToTheEndIsNone(t *testing.T) {
	_, server := testService(t, 0)
	ctx, cancel := context.WithTimeout(context.Background(), 350*time.Millisecond)
	defer cancel()
	var out bytes.Buffer
	if err := hold(ctx, &out, server.URL+"/stream", ""); err != nil || strings.Contains(out.String(), "broken") {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestWaitingForAnAnswerIsNotCounted(t *testing.T) {
	_, server := testService(t, 0)
	if err := waitForAnswer(context.Background(), server.URL, "", time.Second); err != nil {
		t.Error(err)
	}
	if err := waitForAnswer(context.Background(), "http://127.0.0.1:1", "", 200*time.Millisecond); err == nil {
		t.Error("nothing answers there")
	}
}
