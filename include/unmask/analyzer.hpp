// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "unmask/engine.hpp"
#include "unmask/error.hpp"
#include "unmask/kept_faces.hpp"
#include "unmask/model.hpp"
#include "unmask/options.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// Where progress of one analysis goes. Called from the thread that runs Analyze().
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  /// Once, when it is known what the media is: before AnalysisOptions::pick is asked and before any frame.
  virtual void OnMedia(const MediaFacts&) {}
  /// After each analysed frame; `analysed` is their number so far.
  virtual void OnFrame(const FrameReport&, std::int64_t /*analysed*/) {}
  /// Once, after the last face was judged, when AnalysisOptions::keep_faces asked for them. Engines that do
  /// not keep faces never call it.
  virtual void OnFaces(KeptFaces) {}
  /// A few times a second at most.
  /// `done` is 0..1 and never falls.
  virtual void OnProgress(double done) = 0;
};

/// Where things are on this machine, and how much of it to use. Empty paths mean: beside the program.
struct AnalyzerConfig {
  std::filesystem::path models;     ///< the repository, holding <name>/<version>/model.json
  std::filesystem::path detectors;  ///< the face detectors' files
  std::filesystem::path decoder;    ///< the program unmask-decoder
  std::string model = "face";       ///< NAME or NAME:VERSION; without a version the highest one
  std::string device = "CPU";       ///< an OpenVINO device
  std::filesystem::path yunet;      ///< an operator's YuNet ONNX file; used instead of BlazeFace when given
  /// Where compiled networks are kept between starts, which become three times as fast. Unset: the user's
  /// cache folder ($XDG_CACHE_HOME/unmask or ~/.cache/unmask); empty: nowhere.
  std::optional<std::filesystem::path> cache;
  int threads = 0;                    ///< of inference; 0 = one for each core
  double decode_timeout = 600;        ///< seconds of wall clock that one file's decoder may take
  std::vector<EngineChoice> engines;  ///< networks that run elsewhere although their cards say otherwise
};

/// Judges pictures and videos. Thread-safe: Analyze() may run on many threads at once and shares the
/// networks.
class Analyzer {
 public:
  /// Loads and checks the model and starts the first decoder. Fails with kNotFound or kInternal and a hint.
  static Result<std::unique_ptr<Analyzer>> Create(AnalyzerConfig config);
  virtual ~Analyzer() = default;

  /// Analyses one file, synchronously. `name` is what the report calls it. The file is opened once, read
  /// only, and parsed only in the sandboxed decoder. Ends soon after `stop` is requested, with kCancelled.
  /// The same file, options and build give the same report, timing_ms apart.
  virtual Result<Report> Analyze(const std::filesystem::path& file, const std::string& name,
                                 const AnalysisOptions& options, ProgressSink* progress = nullptr,
                                 std::stop_token stop = {}) = 0;

  /// The model that judges; while Ready() fails, the one that is to.
  virtual const ModelCard& model() const = 0;

  /// Whether it can judge now: kOverloaded, with what it waits for, while no version of a model that it
  /// follows is available. Analyze() fails in the same way then. Quick.
  virtual Result<void> Ready() const { return {}; }

  /// The versions that reports state.
  virtual const SoftwareFacts& software() const = 0;
};

/// Checks ranges. kBadRequest with a message that names the option, its range and the value.
Result<void> Validate(const AnalysisOptions& options);

}  // namespace unmask
