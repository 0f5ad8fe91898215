// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: an Analyzer that does what the test says.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

#include "unmask/analyzer.hpp"

namespace unmask {

/// Waits in Analyze() until the test opens the gate or the analysis is stopped, then gives `result`.
class FakeAnalyzer : public Analyzer {
 public:
  FakeAnalyzer() {
    card_.name = "face";
    card_.version = 1;
    card_.sha256 = "0123";
    card_.json = R"({"name": "face", "version": 1, "measured": {"auc": 0.94}})";
    card_.limits = {{.text = "It sees only faces.", .when = {}}};
    software_ = {.unmask = "0.1.0", .libavcodec = "59.37.100", .openvino = "2026.4"};
  }

  Result<Report> Analyze(const std::filesystem::path& file, const std::string& name,
                         const AnalysisOptions& options, ProgressSink* progress,
                         std::stop_token stop) override;

  const ModelCard& model() const override { return card_; }
  const SoftwareFacts& software() const override { return software_; }

  void Close() { SetOpen(false); }
  void Open() { SetOpen(true); }

  /// Waits until `n` calls of Analyze() have begun.
  void AwaitStarted(int n);

  /// Waits until `n` calls of Analyze() have returned.
  void AwaitReturned(int n);

  std::function<Result<Report>(const std::string& content)> result;  ///< set before the first call
  std::string last_content;                                          ///< of the file
  AnalysisOptions last_options;

  /// A report with one track, a picture and three faces.
  static Report MakeReport(const std::string& name);

 private:
  void SetOpen(bool open);

  ModelCard card_;
  SoftwareFacts software_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = true;
  int started_ = 0;
  int returned_ = 0;
};

}  // namespace unmask
