// Errors travel by value: a function that can fail returns Result<T>, and the caller handles it on the next line.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace weir {

// Closed list; every kind has one row in operator/designs/001-failures.md that says who handles it.
enum class ErrorKind {
  NotFound,       // the object is not there
  AlreadyExists,  // create of a name that is taken
  Conflict,       // a guarded write met a newer version: observe again
  Gone,           // the watch or list position is too old: list again
  Invalid,        // refused by the server or by our validation: wait for a change of input
  Forbidden,      // authentication or authorisation
  Throttled,      // not before `retry_after`
  Unavailable,    // transport or 5xx; the outcome of a write is unknown
  Timeout,        // deadline passed; the outcome of a write is unknown
  Parse,          // an answer that cannot be understood
  Shutdown,       // we were told to stop
  Internal,       // a broken invariant of ours
};

std::string_view to_string(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::Internal;
  std::string message;
  std::optional<std::chrono::milliseconds> retry_after{};  // for Throttled
};

// "Kind: message", for logs and terminals.
std::string to_string(const Error& error);

// Either a value or an Error. Same member names as std::expected, which clang 14 does not have.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace weir

#define WEIR_CONCAT_(a, b) a##b
#define WEIR_CONCAT(a, b) WEIR_CONCAT_(a, b)
#define WEIR_ASSIGN_OR_RETURN_(result, declaration, expression) \
  auto result = (expression);                                   \
  if (!result) return std::move(result).error();                \
  declaration = std::move(result).value()

// ASSIGN_OR_RETURN(auto x, f());  The one macro for control flow.
#define ASSIGN_OR_RETURN(declaration, expression) \
  WEIR_ASSIGN_OR_RETURN_(WEIR_CONCAT(result_, __LINE__), declaration, expression)
