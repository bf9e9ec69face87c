// weir-step: the program under which each step of a stage runs in its container. Static and small, because it is copied into pods of
// every kind of image; so it uses nothing of Weir's but words that pipeline/step_contract.h says.
#include <string>
#include <string_view>
#include <vector>

#include "step/install.h"
#include "step/options.h"
#include "step/run.h"

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  const std::string_view verb = args.empty() ? std::string_view() : std::string_view(args[0]);
  if (verb == "end") return 0;
  if (verb == "install" && args.size() == 3) return weir::step::install(args[1], args[2]);
  weir::step::RunOptions options;
  if (verb == "run" && weir::step::parse({args.begin() + 1, args.end()}, options))
    return weir::step::run(options);
  return weir::step::refuse_usage();
}
