// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "unmask/analyzer.hpp"

namespace unmask {

/// What `unmask doctor` was told.
struct DoctorCommand {
  AnalyzerConfig analyzer;
  bool json = false;
};

enum class CheckState { kOk, kWarning, kFail };

/// One line of the doctor's answer.
struct Check {
  std::string name;  ///< stable, e.g. "decoder"
  CheckState state = CheckState::kOk;
  std::string found;   ///< what is there
  std::string advice;  ///< what to do; empty when nothing is to be done
};

/// All checks of this machine; they start a decoder and the network once.
std::vector<Check> CheckMachine(const AnalyzerConfig& config);

/// Prints them. kFailOn when one failed, else kAllDone.
int RunDoctor(const DoctorCommand& command);

}  // namespace unmask
