// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "unmask/error.hpp"

namespace unmask {

/// Checks a file that tools/setup.sh fetched for a face detector against its hash, before the engine reads
/// it. The error of opening it, or kInternal for another content; both say what to run.
Result<void> CheckDetectorFile(const std::filesystem::path& file, const char* sha256);

}  // namespace unmask
