// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "media/degrade/h264.hpp"

namespace unmask {

/// What the module unmask-h264.so offers; built together with the program that loads it. Thread-safe.
class H264Module {
 public:
  virtual ~H264Module() = default;
  virtual Result<cv::Mat> Reencode(const cv::Mat& bgr, int crf) = 0;
  virtual Result<std::unique_ptr<LosslessClip>> WriteClip(const std::filesystem::path& file) = 0;
};

using GetH264Module = H264Module* (*)();
inline constexpr const char* kH264ModuleFile = "unmask-h264.so";
inline constexpr const char* kH264ModuleSymbol = "UnmaskH264Module";

}  // namespace unmask
