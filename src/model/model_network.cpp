// SPDX-License-Identifier: Apache-2.0
#include "model/model_network.hpp"

#include <fmt/format.h>

#include "model/ensemble.hpp"
#include "model/remote/remote_network.hpp"
#include "model/repository.hpp"

namespace unmask {

Result<ModelNetwork> LoadModelNetwork(const ModelCard& card, const NetworkOptions& options) {
  if (card.ensemble)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("{}:{} is an ensemble and has no network of its own", card.name, card.version),
                fmt::format("name its members instead: {}", MemberNames(*card.ensemble)));
  const auto engine = RemoteEngineOf(card, options.engines);
  if (!engine) return tl::unexpected(engine.error());
  if (*engine) {
    auto network = MakeRemoteNetwork(card, **engine, options);
    if (!network) return tl::unexpected(network.error());
    return ModelNetwork{std::move(*network), 0};
  }
  if (auto verified = ModelRepository::VerifyNetwork(card); !verified)
    return tl::unexpected(verified.error());
  NetworkOptions fixed = options;
  // On a CPU a batch gains nothing (3.5 ms a face alone and in a batch), and each new size of batch costs
  // 20 ms of planning. Other devices are idle without one.
  if (fixed.batch == 0 && fixed.device == "CPU") fixed.batch = 1;
  for (const auto& [name, hash] : card.files) fixed.identity += hash;
  auto network = LoadNetwork(card.folder / card.network_file, fixed);
  if (!network) return tl::unexpected(network.error());
  return ModelNetwork{std::move(*network), fixed.batch};
}

}  // namespace unmask
