// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>

#include "unmask/error.hpp"

namespace ov {
class Model;
}

namespace unmask {

/// How a Keras file is read by another process.
struct ConfinedReading {
  /// Run as `PROGRAM --read-keras FILE`; it calls ReadKerasForParent(). Empty: the `unmask` beside the
  /// running program.
  std::filesystem::path program;
  double timeout = 120;  ///< seconds that reading and compiling may take; EfficientNet-B7 takes 7
  std::stop_token stop;  ///< ends the other process, and the call with kCancelled
};

/// ReadKerasModel() for a process that must survive the file: neither libhdf5 nor libarchive, which have had
/// memory errors on hostile files, sees a byte of it here. Another process, limited and confined
/// (ConfineConverter), reads the file, compiles its network once, and leaves it as OpenVINO IR in memory; the
/// engine here reads that. kBadRequest with a hint when the file is refused, and when the process dies or
/// takes too long; kInternal when there is no such program. Blocks; thread-safe.
Result<std::shared_ptr<ov::Model>> ReadKerasConfined(const std::filesystem::path& file,
                                                     const ConfinedReading& reading = {});

/// The other process's part. Confines itself, then leaves the network in the descriptors 3 (IR) and 4
/// (weights), or the words of an error in 5. Returns its exit code. For processes that do nothing else.
int ReadKerasForParent(const std::filesystem::path& file);

}  // namespace unmask
