// SPDX-License-Identifier: Apache-2.0
#include "evaluation/scores_csv.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "evaluation/csv_reader.hpp"
#include "render/csv_cells.hpp"

namespace unmask {
namespace {

enum Column : std::size_t { kScore, kLogit, kVerdict, kReasons };

std::string TextCell(std::string_view text) { return CsvCell(NoFormula(std::string(text))); }

std::string NumberCell(const std::optional<double>& value) {
  return value ? CsvNumber(*value) : std::string();
}

/// An empty cell is no number, and no mistake.
bool ReadNumber(std::string_view text, std::optional<double>& value) {
  if (text.empty()) return true;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return false;
  value = number;
  return true;
}

std::optional<Verdict> ParseVerdict(std::string_view text) {
  for (const Verdict verdict : {Verdict::kManipulated, Verdict::kNoManipulationFound, Verdict::kInconclusive})
    if (VerdictName(verdict) == text) return verdict;
  return std::nullopt;
}

ErrorCode ParseCode(std::string_view name) {
  for (const ErrorCode code :
       {ErrorCode::kNotFound, ErrorCode::kTooLarge, ErrorCode::kUnreadable, ErrorCode::kUnsupportedMedia,
        ErrorCode::kUndecodable, ErrorCode::kLimitExceeded, ErrorCode::kDecoderCrashed,
        ErrorCode::kDecoderTimeout})
    if (CodeName(code) == name) return code;
  return ErrorCode::kInternal;
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return words;
}

void JudgeByThresholds(SampleOutcome& outcome, const Thresholds& thresholds) {
  if (!outcome.score) {
    if (outcome.reasons.empty()) outcome.reasons.emplace_back("no_score");
  } else if (*outcome.score >= thresholds.manipulated) {
    outcome.verdict = Verdict::kManipulated;
  } else if (*outcome.score < thresholds.clear) {
    outcome.verdict = Verdict::kNoManipulationFound;
  } else if (outcome.reasons.empty()) {
    outcome.reasons.emplace_back(ReasonName(Reason::kBetweenThresholds));
  }
}

/// The outcome, or what is wrong with the cells.
tl::expected<SampleOutcome, std::string> Read(const Sample& sample, bool has_verdicts,
                                              const Thresholds& thresholds) {
  const auto& cells = sample.cells;
  SampleOutcome outcome{.reasons = Words(cells[kReasons])};
  for (const auto& [column, target] :
       {std::pair(kScore, &SampleOutcome::score), std::pair(kLogit, &SampleOutcome::logit)})
    if (!ReadNumber(cells[column], outcome.*target))
      return tl::unexpected(
          fmt::format("{}: expected a number, found '{}'", ScoreColumns()[column], cells[column]));
  if (!cells[kVerdict].empty()) {
    const auto verdict = ParseVerdict(cells[kVerdict]);
    if (!verdict) return tl::unexpected(fmt::format("unknown verdict '{}'", cells[kVerdict]));
    outcome.verdict = *verdict;
  } else if (has_verdicts && !outcome.score) {
    outcome.error = Error{ParseCode(cells[kReasons]), "its detector could not analyse it", "", ""};
  } else {
    JudgeByThresholds(outcome, thresholds);
  }
  return outcome;
}

}  // namespace

std::string ScoresCsv(std::span<const Sample> samples, std::span<const SampleOutcome> outcomes) {
  std::string csv = "path,label,group,score,logit,verdict,reasons\r\n";
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const SampleOutcome& outcome = outcomes[i];
    csv += fmt::format("{},{},{},{},{},{},{}\r\n", TextCell(samples[i].name),
                       samples[i].manipulated ? "fake" : "real", TextCell(samples[i].group),
                       NumberCell(outcome.score), NumberCell(outcome.logit),
                       outcome.error ? "" : VerdictName(outcome.verdict),
                       outcome.error ? std::string(CodeName(outcome.error->code))
                                     : TextCell(fmt::format("{}", fmt::join(outcome.reasons, " "))));
  }
  return csv;
}

const std::vector<std::string>& ScoreColumns() {
  static const std::vector<std::string> kColumns = {"score", "logit", "verdict", "reasons"};
  return kColumns;
}

std::vector<SampleOutcome> OutcomesOfScores(Dataset& dataset, const Thresholds& thresholds) {
  bool has_verdicts = false;
  for (const Sample& sample : dataset.samples) has_verdicts = has_verdicts || !sample.cells[kVerdict].empty();
  std::vector<SampleOutcome> outcomes;
  std::vector<Sample> kept;
  for (Sample& sample : dataset.samples) {
    auto outcome = Read(sample, has_verdicts, thresholds);
    if (!outcome) {
      dataset.skipped.Add("bad_line", sample.name, outcome.error());
      continue;
    }
    kept.push_back(std::move(sample));
    outcomes.push_back(std::move(*outcome));
  }
  dataset.samples = std::move(kept);
  return outcomes;
}

}  // namespace unmask
