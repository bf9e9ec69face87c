package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	listenAddress = ":8080"
	// After SIGTERM answers still come, but ask the caller to close: a kept connection that is in use within this time ends
	// between two requests, never inside one.
	drainTime     = 2 * time.Second
	shutdownLimit = 6 * time.Second
	streamPeriod  = 100 * time.Millisecond
)

type service struct {
	version   string
	pod       string
	errorRate float64
	delay     time.Duration
	served    atomic.Uint64
	ready     atomic.Bool
	draining  chan struct{} // closed on SIGTERM
}

func newService() (*service, error) {
	s := &service{version: os.Getenv("VERSION"), pod: os.Getenv("POD_NAME"), draining: make(chan struct{})}
	if text := os.Getenv("ERROR_RATE"); text != "" {
		rate, err := strconv.ParseFloat(text, 64)
		if err != nil || rate < 0 || rate > 1 {
			return nil, fmt.Errorf("ERROR_RATE %q is not a number from 0 to 1", text)
		}
		s.errorRate = rate
	}
	if text := os.Getenv("DELAY_MS"); text != "" {
		delay, err := strconv.Atoi(text)
		if err != nil || delay < 0 {
			return nil, fmt.Errorf("DELAY_MS %q is not a number of milliseconds", text)
		}
		s.delay = time.Duration(delay) * time.Millisecond
	}
	return s, nil
}

// Errors are spread evenly and need no luck: of any k answers in a row floor or ceil of k*rate are bad.
func isBad(number uint64, rate float64) bool {
	return math.Floor(float64(number)*rate) > math.Floor(float64(number-1)*rate)
}

func (s *service) isDraining() bool {
	select {
	case <-s.draining:
		return true
	default:
		return false
	}
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.answer)
	mux.HandleFunc("/healthz", s.health)
	mux.HandleFunc("/stream", s.stream)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Revision", s.version)
		w.Header().Set("X-Pod", s.pod)
		// /once is for callers of whom each request is to find its way anew: a kept connection stays with its pod.
		if s.isDraining() || r.URL.Path == "/once" {
			w.Header().Set("Connection", "close")
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *service) answer(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(s.delay)
	status := http.StatusOK
	if isBad(s.served.Add(1), s.errorRate) {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"revision": s.version, "pod": s.pod, "status": status})
}

func (s *service) health(w http.ResponseWriter, _ *http.Request) {
	if !s.ready.Load() || s.isDraining() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (s *service) stream(w http.ResponseWriter, r *http.Request) {
	ticker := time.NewTicker(streamPeriod)
	defer ticker.Stop()
	for line := 0; ; line++ {
		if _, err := fmt.Fprintf(w, "%s %s %d\n", s.version, s.pod, line); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		case <-s.draining:
			return
		}
	}
}

func serveCommand(ctx context.Context) error {
	s, err := newService()
	if err != nil {
		return err
	}
	startDelay := time.Duration(0)
	if text := os.Getenv("START_DELAY"); text != "" {
		if startDelay, err = time.ParseDuration(text); err != nil {
			return fmt.Errorf("START_DELAY %q is not a duration: %w", text, err)
		}
	}
	if text := os.Getenv("CRASH_AFTER"); text != "" {
		life, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("CRASH_AFTER %q is not a duration: %w", text, err)
		}
		time.AfterFunc(startDelay+life, func() { os.Exit(3) })
	}
	time.AfterFunc(startDelay, func() { s.ready.Store(true) })
	server := &http.Server{Addr: listenAddress, Handler: s.handler()}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	close(s.draining)
	time.Sleep(drainTime)
	limit, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	if err := server.Shutdown(limit); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
