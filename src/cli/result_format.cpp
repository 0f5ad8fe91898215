// SPDX-License-Identifier: Apache-2.0
#include "cli/result_format.hpp"

#include <utility>
#include <vector>

#include "render/csv.hpp"
#include "render/html.hpp"
#include "render/json.hpp"

namespace unmask {
namespace {

class Table final : public ResultFormat {
 public:
  explicit Table(TableStyle style) : style_(style) {}

  std::string Add(Outcome outcome) override {
    totals_.Add(outcome);
    ++files_;
    if (!outcome.report) return {};
    const std::string header = std::exchange(has_header_, true) ? "" : TableHeader(style_);
    return header + ToTable(*outcome.report, style_);
  }

  std::string End() override { return files_ > 1 ? TableFooter(totals_, style_) : ""; }

 private:
  TableStyle style_;
  Totals totals_;
  int files_ = 0;
  bool has_header_ = false;
};

class JsonArray final : public ResultFormat {
 public:
  explicit JsonArray(bool faces) : options_{.faces = faces, .indent = 2} {}

  std::string Begin() override { return "["; }
  std::string Add(Outcome outcome) override {
    return (std::exchange(first_, false) ? "\n" : ",\n") + ToJson(outcome, options_);
  }
  std::string End() override { return first_ ? "]\n" : "\n]\n"; }

 private:
  JsonOptions options_;
  bool first_ = true;
};

class JsonLines final : public ResultFormat {
 public:
  explicit JsonLines(bool faces) : options_{.faces = faces, .indent = -1} {}

  std::string Add(Outcome outcome) override { return ToJson(outcome, options_) + "\n"; }

 private:
  JsonOptions options_;
};

class Csv final : public ResultFormat {
 public:
  std::string Begin() override { return CsvHeader(); }
  std::string Add(Outcome outcome) override { return outcome.report ? ToCsv(*outcome.report) : ""; }
};

class Html final : public ResultFormat {
 public:
  std::string Add(Outcome outcome) override {
    outcomes_.push_back(std::move(outcome));
    return {};
  }
  std::string End() override { return ToHtml(outcomes_); }

 private:
  std::vector<Outcome> outcomes_;
};

}  // namespace

std::unique_ptr<ResultFormat> MakeResultFormat(ScanFormat format, const ResultFormatOptions& options) {
  switch (format) {
    case ScanFormat::kTable:
      return std::make_unique<Table>(options.table);
    case ScanFormat::kJson:
      return std::make_unique<JsonArray>(options.faces);
    case ScanFormat::kJsonLines:
      return std::make_unique<JsonLines>(options.faces);
    case ScanFormat::kCsv:
      return std::make_unique<Csv>();
    case ScanFormat::kHtml:
      return std::make_unique<Html>();
  }
  return nullptr;
}

}  // namespace unmask
