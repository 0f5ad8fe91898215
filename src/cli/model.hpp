// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/ensemble/make.hpp"
#include "evaluation/gate.hpp"
#include "model/import/import.hpp"
#include "unmask/engine.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// What `unmask model` was told.
struct ModelCommand {
  enum class Action {
    kList,
    kShow,
    kImport,
    kEnsemble,
    kVerify,
    kGolden,
    kPromote,
    kRollback,
    kRoute,
    kLabels,
    kLog,
    kGate
  };
  Action action = Action::kList;
  std::filesystem::path models;  ///< the repository; empty: the installed one
  std::string name;              ///< NAME, NAME:VERSION or NAME@LABEL; not for kList
  bool json = false;             ///< the card's own JSON; for kVerify one object
  ImportRequest request;         ///< for kImport; its repository is `models`
  EnsembleRequest ensemble;      ///< for kEnsemble; its repository is `models`

  // For kVerify and kGolden:
  std::string device = "CPU";                  ///< an OpenVINO device
  std::optional<std::filesystem::path> cache;  ///< as AnalyzerConfig::cache

  std::vector<EngineChoice> engines;  ///< for kVerify: as AnalyzerConfig::engines

  // For the labels (cli/rollout.cpp):
  double canary = -1;  ///< for kRoute: per cent of the files; below 0: not given
  bool shadow = false;
  std::string reason;         ///< for the log
  bool require_gate = false;  ///< of kPromote and kRoute
  int limit = 50;             ///< of kLog, events

  // For kGate (cli/gate.cpp):
  std::string against;  ///< the version that answers; as `name`, which may also be a version's folder
  EvaluationRequest evaluation{.input = EvaluationInput::kCrops};  ///< the data; no models
  GateOptions gate;
};

/// Prints the models. Returns the exit code.
int RunModel(const ModelCommand& command);

/// The actions that read and change the labels of a model: promote, rollback, route, labels, log. A version
/// that is to answer is checked first, as by kVerify.
int RunRollout(const ModelCommand& command);

/// `unmask model gate`: compares two versions on the same data and writes the decision into the model's log.
/// kFailOn when the new one is refused.
int RunGateCommand(const ModelCommand& command);

/// Makes an ensemble of models of the repository, and prints its card and what was measured.
int RunEnsemble(EnsembleRequest request);

/// The card's facts for people to read.
std::string DescribeModel(const ModelCard& card);

}  // namespace unmask
