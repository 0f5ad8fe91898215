// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/serve.hpp"
#include "compat/contract.hpp"
#include "compat/rate_limit/rate_limiter.hpp"
#include "compat/rate_limit/redis_store.hpp"

namespace unmask::compat {

class FaceScorer;

/// What `unmask serve` was told about the contracts.
struct ContractOptions {
  /// A contract on a listener of its own.
  struct Listener {
    Contract contract = Contract::kMicroserviceV1;
    std::string address;  ///< "ADDR:PORT"; empty: the original's address, with the port of PORT
  };
  std::vector<Listener> listeners;

  /// An engine other than `native`. Contracts that are not named have the native one.
  struct Engine {
    Contract contract = Contract::kMicroserviceV1;
    bool faithful = false;
  };
  std::vector<Engine> engines;

  /// The operator's model of a faithful engine.
  struct Model {
    Contract contract = Contract::kMicroserviceV1;
    std::filesystem::path path;
  };
  std::vector<Model> models;

  std::filesystem::path env_file;  ///< of the originals' settings; empty: ./.env where it exists
  bool strict = false;             ///< see ContractSettings::strict

  /// Where web-upload counts requests; none: in this process.
  std::optional<RedisAddress> redis;
  RateLimiter::Down redis_down = RateLimiter::Down::kAllow;
  std::vector<Cidr> trusted_proxies;
};

/// "NAME=ADDR:PORT" or "NAME".
Result<ContractOptions::Listener> ParseContractListener(std::string_view text);

/// "NAME=native" or "NAME=faithful".
Result<ContractOptions::Engine> ParseContractEngine(std::string_view text);

/// "NAME=PATH".
Result<ContractOptions::Model> ParseContractModel(std::string_view text);

/// Makes the faithful engine of a contract: on the operator's `model` (empty: none was named), or on a
/// network that runs elsewhere, `remote`, when that is not null.
using MakeFaithful = std::function<Result<std::shared_ptr<Analyzer>>(
    Contract contract, const std::filesystem::path& model, std::shared_ptr<FaceScorer> remote,
    const ContractSettings& settings)>;

/// Every contract, at /compat/NAME of the main listener and on the listeners that were asked for.
/// `on_listening` is told each of those with its contract's name. Reads the settings of the originals from
/// `environment` and makes the faithful engines that were asked for; the result owns them and must outlive
/// the server.
Result<MakeSites> ContractSites(
    const ContractOptions& options, const Environment& environment, const MakeFaithful& make_faithful,
    std::function<void(std::string_view name, const std::string& url)> on_listening);

}  // namespace unmask::compat
