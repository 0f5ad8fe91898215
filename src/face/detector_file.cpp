// SPDX-License-Identifier: Apache-2.0
#include "face/detector_file.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/hash.hpp"

namespace unmask {

Result<void> CheckDetectorFile(const std::filesystem::path& file, const char* sha256) {
  const auto fd = OpenForReading(file);
  if (!fd)
    return Fail(fd.error().code, fmt::format("no face detector at {}: {}", file.string(), fd.error().message),
                "run tools/setup.sh");
  const auto found = Sha256OfFile(fd->get());
  if (!found) return tl::unexpected(found.error());
  if (*found != sha256)
    return Fail(ErrorCode::kInternal,
                fmt::format("{} is not the face detector that is expected: sha256 {}, expected {}",
                            file.string(), *found, sha256),
                "run tools/setup.sh again");
  return {};
}

}  // namespace unmask
