// SPDX-License-Identifier: Apache-2.0
#include "compat/known_media.hpp"

#include <fmt/format.h>

namespace unmask::compat {

Result<void> CheckOriginalsRead(const MediaFacts& media) {
  if (media.container != "heif" && media.container != "avif") return {};
  return Fail(ErrorCode::kUnsupportedMedia,
              fmt::format("a file of kind '{}' is not accepted by this contract", media.container),
              "send it to /v1/analyses, or save it as JPEG or PNG first");
}

}  // namespace unmask::compat
