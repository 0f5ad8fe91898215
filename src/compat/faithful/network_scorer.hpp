// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include <opencv2/core/types.hpp>

#include "compat/faithful/face_scorer.hpp"
#include "model/network.hpp"

namespace unmask::compat {

/// A model file of the operator as the network of a faithful engine: whatever LoadNetwork reads. Its input
/// must be one picture of `crop`'s size and three channels, last as Keras has them, or first; its output one
/// number. Both are checked, and the network run once; what does not fit is kBadRequest and says what was
/// expected and found. Crops are computed one by one, so that no score depends on the others.
Result<std::shared_ptr<FaceScorer>> LoadNetworkScorer(const std::filesystem::path& model, cv::Size crop,
                                                      const NetworkOptions& options);

/// The same of a network that is there already; `facts` is what reports say of it.
Result<std::shared_ptr<FaceScorer>> MakeNetworkScorer(std::shared_ptr<Network> network, cv::Size crop,
                                                      ModelFacts facts);

}  // namespace unmask::compat
