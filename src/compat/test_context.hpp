// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: what contracts work with, without a server and without a model.

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "compat/contract.hpp"

namespace unmask::compat {

/// Analyses as the test says. Its card is that of another version than the one that judged, as while a canary
/// is tried.
class ScriptedAnalyzer : public Analyzer {
 public:
  ScriptedAnalyzer() { card_.thresholds = {.manipulated = 0.99, .clear = 0.98}; }

  Result<Report> Analyze(const std::filesystem::path& file, const std::string&,
                         const AnalysisOptions& options, ProgressSink* progress,
                         std::stop_token stop) override {
    return analyze ? analyze(file, options, progress, std::move(stop))
                   : Fail(ErrorCode::kInternal, "no script");
  }
  const ModelCard& model() const override { return card_; }
  const SoftwareFacts& software() const override { return software_; }

  std::function<Result<Report>(const std::filesystem::path&, const AnalysisOptions&, ProgressSink*,
                               std::stop_token)>
      analyze;

 private:
  ModelCard card_;
  SoftwareFacts software_;
};

class ContractTest : public testing::Test {
 protected:
  ContractContext Context(Contract contract, bool faithful = false) {
    ContractContext context{.contract = contract,
                            .service = service_,
                            .native = analyzer_,
                            .timers = timers_,
                            .ready = ready_,
                            .data = testing::TempDir(),
                            .max_upload_bytes = 1 << 20,
                            .settings = std::make_shared<ContractSettings>(settings_)};
    if (faithful) context.faithful = std::make_shared<ScriptedAnalyzer>();
    return context;
  }

  /// One face for each pair of a frame's time and its score; frames are numbered by 25 a second. The model's
  /// threshold is one half, so that services' scores are ours.
  static Report Frames(const std::vector<std::pair<double, float>>& scores) {
    Report report;
    report.verdict = Verdict::kInconclusive;
    report.model = {.name = "face", .version = 3};
    report.model.thresholds = {.manipulated = 0.5, .clear = 0.25};
    report.detector = "blazeface";
    report.sampling.frames_analysed = 10;
    for (const auto& [time, score] : scores) {
      const auto index = static_cast<std::int64_t>(time * 25 + 0.5);
      report.frames.push_back({.index = index, .time = time, .faces = 1});
      report.faces.push_back({.track = 1, .frame = index, .time = time, .score = static_cast<double>(score)});
    }
    return report;
  }

  /// `report` with a judged person of that score.
  static Report Judged(Report report, double score) {
    report.thresholds = {.manipulated = 0.5, .clear = 0.25};
    report.score = score;
    report.verdict = score >= 0.5 ? Verdict::kManipulated : Verdict::kNoManipulationFound;
    report.tracks.push_back({.id = 1, .verdict = report.verdict, .score = score});
    return report;
  }

  ScriptedAnalyzer analyzer_;
  ContractSettings settings_;  ///< change it before Context()
  std::atomic<bool> ready_ = true;

 private:
  class Silent : public http::Timers {
    std::shared_ptr<void> After(double, std::function<void()>) override { return nullptr; }
  };
  Silent timers_;

 protected:
  AnalysisService service_{{}, analyzer_};
};

}  // namespace unmask::compat
