// SPDX-License-Identifier: Apache-2.0
#include "face/detectors.hpp"

#include <spdlog/spdlog.h>

namespace unmask {

Result<std::unique_ptr<FaceDetector>> MakeFaceDetector(const DetectorOptions& options) {
  if (!options.yunet.empty()) return MakeYuNet(options);
  auto blazeface = MakeBlazeFace(options);
  // Only a file that is absent is replaced; one that is broken must be noticed.
  if (blazeface || blazeface.error().code != ErrorCode::kNotFound) return blazeface;
  auto haar = MakeHaar(options);
  if (!haar) return blazeface;
  spdlog::warn("{}; falling back to Haar's cascade, which misses faces and sees some where none are",
               blazeface.error().message);
  return haar;
}

}  // namespace unmask
