// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <opencv2/core/mat.hpp>

#include "unmask/error.hpp"

namespace unmask {

/// What happens to pictures on their way through the world. Pictures are CV_8UC3, blue first.
struct Degradation {
  enum class Kind {
    kJpeg,   ///< amount: quality, 1..100 (libjpeg-turbo's scale, 4:2:0)
    kScale,  ///< amount: factor of both sides, above 0 and at most 1; pixel areas are averaged
    kBlur,   ///< amount: sigma of a Gaussian, pixels
    kNoise,  ///< amount: sigma of white Gaussian noise on each channel, of 255
    kH264    ///< amount: x264's constant rate factor, 0..51; one intra frame, preset medium, 4:2:0
  };
  Kind kind = Kind::kJpeg;
  double amount = 0;

  friend bool operator==(const Degradation&, const Degradation&) = default;
};

/// A stable code, e.g. "jpeg_40", "scale_0.5", "h264_crf_32".
std::string CodeOf(const Degradation& degradation);

/// In words, e.g. "JPEG, quality 40".
std::string DescribeDegradation(const Degradation& degradation);

/// The degradations under which a detector is measured, in a fixed order: JPEG 90, 60, 40, 20; half and
/// quarter size; blur of 2 pixels; noise of 10; H.264 at 23, 32 and 40. Where training measures the same
/// (JPEG 40, half size, blur, noise), the numbers are training's.
std::span<const Degradation> StandardDegradations();

/// A degraded copy, of another size for kScale alone. The same picture, degradation and seed (of the noise)
/// give the same pixels. Fails with kBadRequest for an empty picture or one of another type, and with
/// kInternal when an encoder fails or, for kH264, the module unmask-h264.so is missing. Thread-safe.
Result<cv::Mat> Degrade(const cv::Mat& bgr, const Degradation& degradation, std::uint64_t seed = 0);

}  // namespace unmask
