// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/log.hpp"
#include "cli/compat_check.hpp"
#include "cli/doctor.hpp"
#include "cli/evaluate.hpp"
#include "cli/faces.hpp"
#include "cli/model.hpp"
#include "cli/scan.hpp"
#include "cli/serve.hpp"

namespace unmask {

/// The command line asked for nothing but this text: help, the version, or what is wrong with it.
struct Answer {
  int exit_code = 0;
  std::string out;
  std::string err;
};

using Command = std::variant<Answer, ScanCommand, ServeCommand, EvaluateCommand, DoctorCommand, ModelCommand,
                             FacesCommand, CompatCheckCommand>;

struct CommandLine {
  Command command;
  LogLevel log_level = LogLevel::kWarning;
};

/// A variable of the environment, nothing when it is unset.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Understands `unmask ...` (without the program's name). An option of the command that is not given is
/// looked for in the environment (UNMASK_MAX_FRAMES for --max-frames) and then in the file of --config: lines
/// `max-frames = 64` for every command that has the option, or in a section `[scan]` for one. Never throws;
/// what is wrong becomes an Answer of two lines, "error: ..." and "hint: ...".
CommandLine ParseCommandLine(std::vector<std::string> arguments, const Environment& environment);

}  // namespace unmask
