#include "delivery/config_book.h"

namespace weir {
namespace {

// The server has told what is so; everything else says nothing about the object.
bool is_told(const Error& error) {
  return error.kind == ErrorKind::NotFound || error.kind == ErrorKind::Forbidden;
}

}  // namespace

ConfigReading ConfigBook::read(const std::string& release_uid) const {
  Lock lock(mutex_);
  const auto found = readings_.find(release_uid);
  return found == readings_.end() ? ConfigReading{} : found->second;
}

bool ConfigBook::begin(const ConfigQuestion& question) {
  Lock lock(mutex_);
  auto& reading = readings_[question.release_uid];
  if (reading.waiting && reading.generation >= question.generation) return false;
  reading.asked = question.asked;
  reading.generation = question.generation;
  reading.waiting = true;
  return true;
}

void ConfigBook::settle(const ConfigQuestion& question, ConfigAnswers answers) {
  Lock lock(mutex_);
  const auto found = readings_.find(question.release_uid);
  if (found == readings_.end()) return;  // forgotten since
  auto& reading = found->second;
  if (reading.generation != question.generation) return;
  for (auto& [ref, answer] : answers) {
    if (answer || is_told(answer.error()) || !reading.answers) continue;
    const auto before = reading.answers->find(ref);
    if (before != reading.answers->end()) answer = before->second;
  }
  reading.waiting = false;
  reading.answered = question.generation;
  reading.answers = std::make_shared<const ConfigAnswers>(std::move(answers));
}

void ConfigBook::forget(const std::string& release_uid) {
  Lock lock(mutex_);
  readings_.erase(release_uid);
}

}  // namespace weir
