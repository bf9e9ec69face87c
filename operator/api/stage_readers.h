// The parts of a Pipeline, read field by field; for pipeline_codec.cpp.
#pragma once

#include "api/field_reader.h"
#include "api/pipeline.h"

namespace weir {

namespace text_rules {
extern const TextRule kParamName;  // of parameters, axes, results, artifacts
extern const TextRule kParamValue;
extern const TextRule kAxisValue;
extern const TextRule kFilled;  // a short text with placeholders
extern const TextRule kAnyText;
}  // namespace text_rules

// Whether the result holds is in the reader's Reading.
Stage read_stage(const FieldReader& item);
std::optional<Matrix> read_matrix(const FieldReader& stage);

// What only the whole can tell: cycles, unknown stages, parameters, results, axes; too many of all together.
void check_references(const FieldReader& spec, const PipelineSpec& pipeline);

}  // namespace weir
