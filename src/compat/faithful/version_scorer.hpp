// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include <opencv2/core/types.hpp>

#include "compat/faithful/face_scorer.hpp"
#include "compat/faithful/steps.hpp"
#include "model/network.hpp"

namespace unmask::compat {

/// Whether a path names a version of a model repository: a folder with a model.json.
bool IsVersionFolder(const std::filesystem::path& path);

/// A version of a model repository (NAME/VERSION, as `unmask model import` makes it) as the network of a
/// faithful engine. Its log odds of manipulation become the contract's number: P(real) when `real_scores`,
/// else P(fake). Its files are checked against their hashes. kBadRequest when its card states another size,
/// order of channels or range than the contract's crops have, or when its network runs elsewhere.
Result<std::shared_ptr<FaceScorer>> LoadVersionScorer(const std::filesystem::path& folder, cv::Size crop,
                                                      const CropValues& values, bool real_scores,
                                                      const NetworkOptions& options);

/// The probability that `odds` (one number of a row, natural log) stand for, of manipulation or, when `real`,
/// of none. Shares the network.
std::shared_ptr<Network> Probabilities(std::shared_ptr<Network> odds, bool real);

}  // namespace unmask::compat
