// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "unmask/error.hpp"

namespace unmask::compat {

/// Decodes base64 as Python's base64.b64decode(text) does: characters outside the alphabet are skipped, and
/// nothing after the first completed padding counts. Errors (kBadRequest) have Python's words. The text may
/// come in pieces, cut anywhere.
class LenientBase64 {
 public:
  /// Appends what the piece completes to `out`. Fails for a byte above 127, after which the decoder is of no
  /// use.
  Result<void> Decode(std::string_view piece, std::string& out);

  /// The text has ended; fails when it ended within a group.
  Result<void> Finish() const;

 private:
  int have_ = 0;  ///< characters of the present group of four
  int pads_ = 0;  ///< of the present group, without interruption
  std::uint32_t group_ = 0;
  bool done_ = false;
  std::uint64_t decoded_ = 0;
};

}  // namespace unmask::compat
