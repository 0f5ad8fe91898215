// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "cli/command_line.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace unmask {

/// Each declares the options of one subcommand, which fill `command` when the line is read. `command` must
/// outlive `app`. Internal to the reading of the command line.
void DeclareScan(CLI::App& app, ScanCommand& command);
void DeclareServe(CLI::App& app, ServeCommand& command);
void DeclareEvaluate(CLI::App& app, EvaluateCommand& command);
void DeclareDoctor(CLI::App& app, DoctorCommand& command);
void DeclareModel(CLI::App& app, ModelCommand& command);
void DeclareFaces(CLI::App& app, FacesCommand& command);
void DeclareCompatCheck(CLI::App& app, CompatCheckCommand& command);

}  // namespace unmask
