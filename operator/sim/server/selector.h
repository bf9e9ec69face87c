#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/server/resource.h"

namespace weir::sim {

// A label selector in API syntax, equality and set based: "a=b,c!=d,e,!f,g in (x,y),h notin (z)".
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
class LabelSelector {
 public:
  LabelSelector() = default;
  // Refused: 400, naming what cannot be read.
  static Answer<LabelSelector> parse(std::string_view text);

  bool empty() const { return terms_.empty(); }
  bool matches(const Json& object) const;

 private:
  enum class Op { Exists, Absent, In, NotIn };
  struct Term {
    std::string key;
    Op op = Op::Exists;
    std::vector<std::string> values{};
  };

  static Answer<Term> parse_term(std::string_view text);
  bool holds(const Term& term, const Json& labels) const;

  std::vector<Term> terms_;
};

// "metadata.name=a,spec.nodeName!=b", of the fields that the resource offers.
class FieldSelector {
 public:
  FieldSelector() = default;
  // Refused: 400, for a field that cannot be selected by.
  static Answer<FieldSelector> parse(std::string_view text, const Resource& resource);

  bool empty() const { return terms_.empty(); }
  bool matches(const Json& object) const;

 private:
  struct Term {
    FieldPath path;
    std::string value;
    bool equal = true;
  };

  std::vector<Term> terms_;
};

}  // namespace weir::sim
