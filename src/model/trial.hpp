// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <initializer_list>
#include <stop_token>
#include <string>
#include <vector>

#include "unmask/error.hpp"

namespace unmask {

/// How a child process ended, and what it said.
struct TrialResult {
  bool ok = false;
  std::string said;  ///< standard output and error, at most 64 KiB
  std::string
      ending;  ///< when not ok: "exit code 3", "signal 11 (Segmentation fault)", "no end within 300 s"
};

/// Runs a program to its end, without a shell and with an empty standard input; kills it, with its group,
/// after `timeout` seconds of wall clock and when `stop` is requested (kCancelled). kInternal when it cannot
/// be started. The program gets the descriptors of `inherited` as 3, 4 and so on; they stay the caller's.
/// Blocks; safe beside other threads.
Result<TrialResult> RunTrial(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                             double timeout, const std::stop_token& stop = {},
                             std::initializer_list<int> inherited = {});

/// Limits this process for loading a file that may do anything to the engine: 300 CPU seconds, 16 GiB of
/// address space, no core file. Lasting: for processes that do nothing else.
void LimitThisTrial();

}  // namespace unmask
