// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "extract/face_set.hpp"
#include "extract/labelling.hpp"
#include "unmask/analyzer.hpp"

namespace unmask {

/// What `unmask faces export-feedback` was told.
struct ExportFeedbackCommand {
  std::filesystem::path folder;  ///< of `unmask serve --feedback`
  std::filesystem::path output;
  bool overwrite = false;
  Labelling labelling{.splits = {{"train", 0.8}, {"val", 0.2}}};  ///< its label and grouping are not used
  std::filesystem::path models;  ///< the repository; empty: the installed one
  std::string model = "face";    ///< faces that were cut by its rule are taken
};

/// Makes a data set of feedback and prints what became of it. Returns the exit code.
int RunExportFeedback(const ExportFeedbackCommand& command);

/// What `unmask faces` was told.
struct FacesCommand {
  std::optional<ExportFeedbackCommand> feedback;  ///< `export-feedback`; the rest is of `extract`
  std::vector<std::string> paths;
  std::filesystem::path output;
  bool resume = false;
  bool overwrite = false;
  bool like_training = false;    ///< said aloud; it is the default
  std::optional<double> margin;  ///< for MarginRule(); absent: the rule of analyzer.model
  CutOptions cut;
  Labelling labelling;
  int jobs = 0;  ///< files at once; 0: one for each core
  AnalyzerConfig analyzer;
};

/// Cuts faces out of the files and prints what became of them. Returns the exit code. Call it once, before
/// any thread is started: it takes over SIGINT and SIGTERM.
int RunFaces(const FacesCommand& command);

}  // namespace unmask
