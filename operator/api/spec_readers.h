// The specs, read field by field. For codecs, and for the test that compares what is read with the schemas of crds/.
#pragma once

#include "api/canary_policy.h"
#include "api/field_reader.h"
#include "api/release.h"

namespace weir {

// Whether the result holds is in the reader's Reading.
CanaryPolicySpec read_policy_spec(const FieldReader& spec);
ReleaseSpec read_release_spec(const FieldReader& spec, const std::string& name);

}  // namespace weir
