#include "base/result.h"

namespace weir {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::NotFound: return "NotFound";
    case ErrorKind::AlreadyExists: return "AlreadyExists";
    case ErrorKind::Conflict: return "Conflict";
    case ErrorKind::Gone: return "Gone";
    case ErrorKind::Invalid: return "Invalid";
    case ErrorKind::Forbidden: return "Forbidden";
    case ErrorKind::Throttled: return "Throttled";
    case ErrorKind::Unavailable: return "Unavailable";
    case ErrorKind::Timeout: return "Timeout";
    case ErrorKind::Parse: return "Parse";
    case ErrorKind::Shutdown: return "Shutdown";
    case ErrorKind::Internal: return "Internal";
  }
  return "Internal";
}

std::string to_string(const Error& error) {
  return std::string(to_string(error.kind)) + ": " + error.message;
}

}  // namespace weir
