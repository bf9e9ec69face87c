#include "plugins/all.h"

#include "plugins/factories.h"

namespace weir {

const Plugins& all_plugins() {
  static const Plugins kPlugins{
      {&gateway_api_router(), &replicas_router()},
      {&prometheus_provider()},
  };
  return kPlugins;
}

}  // namespace weir
