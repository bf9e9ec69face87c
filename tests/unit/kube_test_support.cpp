#include "unit/kube_test_support.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace weir::kube_test {

Result<HttpResponse> FakeHttpClient::send(const HttpRequest& request, const Deadline&) {
  requests.push_back(request);
  if (script.empty()) {
    ADD_FAILURE() << "not scripted: " << request.method << " " << request.target;
    return Error{ErrorKind::Internal, "not scripted"};
  }
  auto answer = script.front();
  script.erase(script.begin());
  return answer;
}

Result<HttpResponse> FakeHttpClient::stream(const HttpRequest& request, const OnBytes& on_bytes,
                                            milliseconds idle_limit, const std::stop_token&) {
  requests.push_back(request);
  idle_limits.push_back(idle_limit);
  if (streams.empty()) {
    ADD_FAILURE() << "not scripted: " << request.target;
    return Error{ErrorKind::Internal, "not scripted"};
  }
  const Stream stream = streams.front();
  streams.erase(streams.begin());
  if (stream.meanwhile) stream.meanwhile();
  for (const auto& slice : stream.slices) {
    if (!on_bytes(slice)) break;
  }
  return stream.end;
}

void FakeHttpClient::will_answer(int status, std::string body,
                                 std::map<std::string, std::string> headers) {
  script.emplace_back(HttpResponse{status, std::move(headers), std::move(body)});
}

void FakeHttpClient::will_fail(ErrorKind kind) { script.emplace_back(Error{kind, "scripted"}); }

TempFolder::TempFolder() : path_(testing::TempDir() + "weir_XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempFolder::write(const std::string& name, const std::string& content) const {
  const auto path = path_ + "/" + name;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

void TempFolder::remove(const std::string& name) const {
  std::filesystem::remove(path_ + "/" + name);
}

}  // namespace weir::kube_test
