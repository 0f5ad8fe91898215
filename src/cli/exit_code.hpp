// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "unmask/error.hpp"

namespace unmask {

/// How `unmask` ends (native-api, section 2). When both fit, kFailOn wins over kSomeFailed: a script that
/// asks for --fail-on wants to know of the finding first.
enum ExitCode : int {
  kAllDone = 0,       ///< every file analysed, every check passed
  kFailOn = 1,        ///< a file has a verdict of --fail-on; a check of `unmask doctor` failed
  kWrongUsage = 2,    ///< the command line makes no sense
  kSomeFailed = 3,    ///< some file could not be analysed (the others were), or the program cannot work here
  kInterrupted = 130  ///< SIGINT or SIGTERM: what was done is printed (128 + SIGINT, as shells count)
};

/// How a command ends that measures labelled files and could not.
inline ExitCode ExitCodeOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kBadRequest:
    case ErrorCode::kNotFound:
      return kWrongUsage;
    case ErrorCode::kCancelled:
      return kInterrupted;
    default:
      return kSomeFailed;
  }
}

}  // namespace unmask
