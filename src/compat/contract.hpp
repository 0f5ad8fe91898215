// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/docs.hpp"
#include "api/service.hpp"
#include "compat/rate_limit/client_address.hpp"
#include "compat/settings.hpp"
#include "http/router.hpp"
#include "http/server.hpp"
#include "unmask/analyzer.hpp"
#include "unmask/error.hpp"

namespace unmask::compat {

class RateLimiter;
class TfServing;

/// The services whose clients unmask answers as those did. Specified in docs/compat.md.
enum class Contract { kMicroserviceV1, kMicroserviceV2, kWebUpload, kMesonetApi, kPredictApi };

inline constexpr std::array kContracts{Contract::kMicroserviceV1, Contract::kMicroserviceV2,
                                       Contract::kWebUpload, Contract::kMesonetApi, Contract::kPredictApi};

/// "microservice-v1", "microservice-v2", "web-upload", "mesonet-api", "predict-api".
std::string_view ContractName(Contract contract);

/// kBadRequest with the names that there are.
Result<Contract> ParseContract(std::string_view name);

/// Where the original listens when nobody says otherwise, e.g. "0.0.0.0:5000".
std::string_view OriginalAddress(Contract contract);

/// What the handlers of one contract work with. A value, copied into them; what it refers to outlives the
/// server.
struct ContractContext {
  Contract contract;
  AnalysisService& service;
  Analyzer& native;  ///< the product's own
  http::Timers& timers;
  http::Server* server = nullptr;         ///< for Socket.IO; null: without
  const std::atomic<bool>& ready;         ///< false while shutting down
  std::filesystem::path data;             ///< uploads lie here, nameless
  std::filesystem::path web;              ///< the pages' files
  std::shared_ptr<const DocsFiles> docs;  ///< of /docs; null: without
  std::uint64_t max_upload_bytes = 0;
  double retention = 3600;  ///< seconds that a finished analysis is kept
  std::shared_ptr<const ContractSettings> settings;
  std::shared_ptr<RateLimiter> limiter;  ///< of web-upload
  std::vector<Cidr> trusted_proxies;     ///< whose X-Forwarded-For is believed
  std::shared_ptr<Analyzer> faithful;    ///< null: the engine is `native`
  std::shared_ptr<TfServing> serving;    ///< what predict-api's faithful engine asks for scores; may be null

  /// The one that answers.
  Analyzer& analyzer() const { return faithful ? *faithful : native; }

  /// "native" or "faithful".
  std::string_view engine() const { return faithful ? "faithful" : "native"; }
};

/// A contract that is ready to be served.
struct ServedContract {
  std::shared_ptr<const http::Router> routes;  ///< at its own root
  std::function<void()> on_shutdown;           ///< see ServedSite; may be empty
};

ServedContract MakeContract(const ContractContext& context);

}  // namespace unmask::compat
