// Pipelines and runs, read field by field. For codecs, and for the test that compares what is read with the schemas of crds/.
#pragma once

#include "api/field_reader.h"
#include "api/pipeline.h"
#include "api/pipeline_run.h"

namespace weir {

namespace text_rules {
extern const TextRule kParamName;  // of parameters, axes, results
extern const TextRule kParamValue;
extern const TextRule kAxisValue;
extern const TextRule kFilled;  // a short text with placeholders
extern const TextRule kAnyText;
}  // namespace text_rules

// Whether the result holds is in the reader's Reading. `final`: one of spec.finally, which needs nobody.
Stage read_stage(const FieldReader& item, bool final);
std::optional<Matrix> read_matrix(const FieldReader& stage);

PipelineSpec read_pipeline_spec(const FieldReader& spec);
PipelineRunSpec read_pipeline_run_spec(const FieldReader& spec);

// What only the whole can tell: cycles, unknown stages, parameters, results, axes; too many of all together.
void check_references(const FieldReader& spec, const PipelineSpec& pipeline);

}  // namespace weir
