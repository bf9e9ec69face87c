#include "app/config_reader.h"

#include "base/deadline.h"
#include "base/log.h"

namespace weir {

void ConfigReader::start(const ObjectKey& release,
                         const std::shared_ptr<const ConfigQuestion>& question) {
  if (!book_.begin(*question)) return;
  const bool taken = pool_.submit([this, release, question](const std::stop_token& stop) {
    ConfigAnswers answers;
    for (const auto& ref : question->refs) {
      if (stop.stop_requested()) return;
      answers.emplace(ref, read(ref, release.ns));
    }
    book_.settle(*question, std::move(answers));
    wake_(release);
  });
  if (taken) return;
  ConfigAnswers none;
  for (const auto& ref : question->refs)
    none.emplace(ref, Error{ErrorKind::Unavailable, "too many reads are waiting"});
  book_.settle(*question, std::move(none));
}

Result<ConfigContent> ConfigReader::read(const ConfigRef& ref, const std::string& ns) {
  const auto object =
      api_.get(kind_of(ref), {ns, ref.name}, Deadline::after(clock_, kConfigTimeout));
  if (object) return content_of(ref, *object);
  log_warn("config not readable", {{"kind", std::string(kind_of(ref).name)},
                                   {"object", to_string(ObjectKey{ns, ref.name})},
                                   {"error", std::string(to_string(object.error().kind))}});
  return object.error();
}

}  // namespace weir
