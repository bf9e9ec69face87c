package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

const requestTimeout = 10 * time.Second

// One kept connection. Not net/http's client: that one silently repeats a request whose connection broke, and a broken
// connection is exactly what has to be counted.
type client struct {
	address    string
	request    []byte
	conn       net.Conn
	reader     *bufio.Reader
	reconnects int
}

type answer struct {
	status  int
	version string
	pod     string
}

func newClient(target, host string) (*client, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%q is not an http URL", target)
	}
	if host == "" {
		host = u.Host
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "80")
	}
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: weir-test\r\n\r\n", u.RequestURI(), host)
	return &client{address: address, request: []byte(request)}, nil
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// The peer had closed before anything was sent: every HTTP client may connect again here, and it costs no request.
func (c *client) closedByPeer() bool {
	raw, err := c.conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return true
	}
	closed := false
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		closed = !(n > 0 || err == syscall.EAGAIN || err == syscall.EINTR)
		return true
	})
	return closed || err != nil
}

func (c *client) connect() error {
	if c.conn != nil && c.closedByPeer() {
		c.close()
		c.reconnects++
	}
	if c.conn != nil {
		return nil
	}
	conn, err := net.DialTimeout("tcp", c.address, requestTimeout)
	if err != nil {
		return err
	}
	c.conn, c.reader = conn, bufio.NewReader(conn)
	return nil
}

// Sends the request and returns the response with its body unread.
func (c *client) send() (*http.Response, error) {
	if err := c.connect(); err != nil {
		return nil, err
	}
	c.conn.SetDeadline(time.Now().Add(requestTimeout))
	if _, err := c.conn.Write(c.request); err != nil {
		return nil, err
	}
	return http.ReadResponse(c.reader, nil)
}

// One request and its whole answer. After an error the connection is closed and the next call makes a new one.
func (c *client) ask() (answer, error) {
	response, err := c.send()
	if err != nil {
		c.close()
		return answer{}, err
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		c.close()
		return answer{}, err
	}
	if response.Close {
		c.close()
		c.reconnects++
	}
	return answer{response.StatusCode, response.Header.Get("X-Revision"), response.Header.Get("X-Pod")}, nil
}
