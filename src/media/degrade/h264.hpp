// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include <opencv2/core/mat.hpp>

#include "unmask/error.hpp"

namespace unmask {

/// H.264 by libavcodec and x264. They live in a module, unmask-h264.so beside the decoder, that is loaded at
/// the first call: the program itself neither links FFmpeg nor pays for loading it when no picture is
/// re-encoded. Only our own encoder's output is decoded here, never a file of a user.

/// The picture as H.264 at this constant rate factor (0 best .. 51 worst) leaves it: encoded as one intra
/// frame and decoded again. CV_8UC3, any size up to 16384; the same everywhere. kInternal when the module or
/// its encoder is missing. Thread-safe.
Result<cv::Mat> ReencodeH264(const cv::Mat& bgr, int crf);

/// Writes pictures as a video that gives back their very pixels (RGB, lossless, every frame a key frame). Not
/// thread-safe.
class LosslessClip {
 public:
  virtual ~LosslessClip() = default;

  /// Appends a picture, CV_8UC3 of the size of the first; `time` in seconds from 0, rising. Kept to a
  /// microsecond and never rounded down.
  virtual Result<void> Add(const cv::Mat& bgr, double time) = 0;

  /// Ends the file. Call it once; without it the file is not readable.
  virtual Result<void> Finish() = 0;
};

/// Begins an MP4 file at `file`, which is overwritten. Fails as ReencodeH264 does.
Result<std::unique_ptr<LosslessClip>> WriteLosslessClip(const std::filesystem::path& file);

}  // namespace unmask
