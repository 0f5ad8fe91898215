// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "evaluation/outcome.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// A change of pixels under which everything is measured again. `seed` differs from sample to sample.
struct Variant {
  std::string name;         ///< a stable code, e.g. "jpeg_40"
  std::string description;  ///< e.g. "JPEG, quality 40"
  std::function<Result<cv::Mat>(const cv::Mat& bgr, std::uint64_t seed)> apply;
};

/// One for each of StandardDegradations().
std::vector<Variant> StandardVariants();

/// The clean pass and one for each variant, with an empty outcome for each sample.
std::vector<Pass> StartPasses(std::size_t samples, std::span<const Variant> variants);

}  // namespace unmask
