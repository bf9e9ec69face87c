// Reports in XML, read as they come (expat): JUnit's as Ant, Maven, pytest, gotestsum and others write it
// (https://github.com/testmoapp/junitxml), and Cobertura's (coverage-04.dtd), of which the totals in its first element are enough.
#pragma once

#include <expat.h>

#include "step/report_file.h"

namespace weir::step {

class XmlFile : public ReportFile {
 public:
  explicit XmlFile(Counted& counted);
  ~XmlFile() override;
  bool read(std::string_view part) override;
  std::string end() override;

 protected:
  // nullptr = it has none.
  static const char* attribute(const char** attributes, std::string_view name);
  // 0 when it is absent or no number.
  static double number(const char** attributes, std::string_view name);

  virtual void begin_element(std::string_view name, const char** attributes) = 0;
  virtual void end_element(std::string_view name) = 0;
  // After a well-formed file: what it lacks; "" = nothing.
  virtual std::string lacks() const = 0;

 private:
  bool parse(std::string_view part, XML_Bool last);

  XML_Parser parser_;
  std::string error_;
};

class JUnitFile final : public XmlFile {
 public:
  using XmlFile::XmlFile;

 private:
  void begin_element(std::string_view name, const char** attributes) override;
  void end_element(std::string_view name) override;
  std::string lacks() const override;

  bool is_suite_ = false;
  bool in_case_ = false;
  bool has_failed_ = false;  // the case
  std::string case_;
};

class CoberturaFile final : public XmlFile {
 public:
  using XmlFile::XmlFile;

 private:
  void begin_element(std::string_view name, const char** attributes) override;
  void end_element(std::string_view /*name*/) override {}
  std::string lacks() const override;

  bool has_totals_ = false;
};

}  // namespace weir::step
