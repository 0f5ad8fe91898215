// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.hpp"

#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/exit_code.hpp"
#include "cli/terminal.hpp"
#include "render/json_value.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

std::string_view StateName(CheckState state) {
  switch (state) {
    case CheckState::kOk:
      return "ok";
    case CheckState::kWarning:
      return "warning";
    case CheckState::kFail:
      return "fail";
  }
  return "fail";
}

std::string_view ColorOf(CheckState state) {
  switch (state) {
    case CheckState::kOk:
      return "\x1b[32m";
    case CheckState::kWarning:
      return "\x1b[33m";
    case CheckState::kFail:
      return "\x1b[1;31m";
  }
  return "";
}

void PrintJsonChecks(const std::vector<Check>& checks, bool failed) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Check& check : checks)
    list.push_back(
        {{"name", check.name},
         {"state", StateName(check.state)},
         {"found", check.found},
         {"advice", check.advice.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(check.advice)}});
  fmt::print("{}\n", PrintJson({{"ok", !failed}, {"checks", std::move(list)}}, 2));
}

void PrintTextChecks(const std::vector<Check>& checks) {
  const bool color = StyleFor(STDOUT_FILENO).color;
  for (const Check& check : checks) {
    fmt::print("{}{:<8}{} {:<12} {}\n", color ? ColorOf(check.state) : "", StateName(check.state),
               color ? "\x1b[0m" : "", check.name, EscapeForTerminal(check.found));
    if (!check.advice.empty()) fmt::print("{:<8} {:<12} -> {}\n", "", "", EscapeForTerminal(check.advice));
  }
}

}  // namespace

int RunDoctor(const DoctorCommand& command) {
  const std::vector<Check> checks = CheckMachine(command.analyzer);
  bool failed = false;
  for (const Check& check : checks) failed = failed || check.state == CheckState::kFail;
  if (command.json)
    PrintJsonChecks(checks, failed);
  else
    PrintTextChecks(checks);
  return failed ? kFailOn : kAllDone;
}

}  // namespace unmask
