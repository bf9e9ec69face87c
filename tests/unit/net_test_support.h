// Real servers on loopback and certificates made on the spot, for the tests of net/ and kube/.
#pragma once

#include <httplib.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/mutex.h"
#include "net/httplib_client.h"

namespace weir::net_test {

struct Identity {
  std::string cert_pem;
  std::string key_pem;
};

// A certificate authority with an EC key of its own.
class TestCa {
 public:
  explicit TestCa(const std::string& name);
  std::string pem() const;

  struct Wish {
    std::string common_name = "test";
    std::string alt_names = "IP:127.0.0.1,IP:::1,DNS:localhost";  // "" = none
    long days = 1;                                                // negative: expired
  };
  Identity issue(const Wish& wish) const;
  Identity issue() const { return issue(Wish()); }
  // A CA whose own certificate this one signs.
  TestCa intermediate(const std::string& name) const;

 private:
  TestCa() = default;
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
};

Identity encrypted(const Identity& identity);  // the same, its key under a password

struct ServerTls {
  Identity identity;
  std::string client_ca_pem;  // not empty: a client certificate is demanded
};

// A real HTTP(S) server on a free port of loopback. Set it up through `http()`, then start().
class TestServer {
 public:
  TestServer();
  explicit TestServer(const ServerTls& tls);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  httplib::Server& http() { return *server_; }
  bool start(const std::string& host = "127.0.0.1");  // false: no such address on this machine
  Url url(const std::string& path = "") const;
  int connections() const;  // that have carried a request
  bool stopping() const { return stopping_; }

  // A chunked answer of `lines`, each with a line end; afterwards the stream stays open and silent until the server stops, unless
  // `end`.
  void serve_stream(const std::string& path, std::vector<std::string> lines, bool end);

 private:
  void count_connections();

  bool tls_ = false;
  std::string host_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable Mutex mutex_;
  std::set<int> peers_ GUARDED_BY(mutex_);
  std::unique_ptr<httplib::Server> server_;
  std::jthread thread_;
};

// A listening socket that does with each connection what a function says, one after the other; then closes it.
class RawServer {
 public:
  using Talk = std::function<void(int socket, const std::stop_token& stop)>;
  explicit RawServer(Talk talk);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  Url url() const;

 private:
  int listener_ = -1;
  int port_ = 0;
  std::jthread thread_;
};

// An HTTP proxy that opens tunnels (CONNECT), one at a time.
class TestProxy {
 public:
  // Answers with this line instead of a tunnel, unless it is empty.
  explicit TestProxy(std::string refusal = "");
  Url url() const { return server_.url(); }
  std::vector<std::string> heads() const;  // of the requests so far

 private:
  void talk(int socket, const std::stop_token& stop);

  const std::string refusal_;
  mutable Mutex mutex_;
  std::vector<std::string> heads_ GUARDED_BY(mutex_){};
  RawServer server_;  // last: its thread uses the rest
};

// Connects to a port of this machine, whatever name was asked for, says welcome and copies both ways until one side is closed.
void tunnel(int socket, std::uint16_t port, const std::string& welcome,
            const std::stop_token& stop);

std::string read_head(int socket);  // up to the blank line
void write_all(int socket, const std::string& text);
void stay_silent(const std::stop_token& stop);

// An address where connecting neither succeeds nor fails: a listener whose queue is full.
class BlackHole {
 public:
  BlackHole();
  ~BlackHole();
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;
  Url url() const;

 private:
  std::vector<int> sockets_;
  int port_ = 0;
};

// A deadline that tests never reach unless something hangs.
Deadline soon(milliseconds span = milliseconds(20'000));

std::unique_ptr<HttpClient> client_for(const Url& url, const TlsOptions& tls = {});
std::unique_ptr<HttpClient> client_through(const Url& url, const std::optional<Proxy>& proxy,
                                           const TlsOptions& tls = {});

// Milliseconds that a function took.
double elapsed_ms(const std::function<void()>& what);

}  // namespace weir::net_test
