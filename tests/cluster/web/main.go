// The service that the cluster tests release, and the callers that count what a release costs it. One static binary:
//
//	web serve    answers requests, with errors and delays as the environment says
//	web load     sends requests at a fixed rate and counts every answer and every failure
//	web hold     holds one streaming connection and reports any break
//	web stop     tells process 1 to end (there is no shell and no kill in an image made from scratch)
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	var err error
	switch arguments := os.Args[2:]; os.Args[1] {
	case "serve":
		err = serveCommand(ctx)
	case "load":
		err = loadCommand(ctx, arguments)
	case "hold":
		err = holdCommand(ctx, arguments)
	case "stop":
		err = syscall.Kill(1, syscall.SIGTERM)
	default:
		usage()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: web serve | load | hold | stop   (-h after a mode lists its flags)")
	os.Exit(2)
}
