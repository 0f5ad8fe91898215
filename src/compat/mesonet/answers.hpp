// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "api/service.hpp"
#include "compat/contract.hpp"
#include "http/message.hpp"
#include "unmask/report.hpp"

namespace unmask::compat {

/// How mesonet-api samples one video; known as soon as it is known what the media is.
struct MesonetRun {
  std::int64_t total_frames = 0;
  double fps = 0;
  double duration = 0;
  std::int64_t requested = 0;  ///< frames that are looked at, also those that cannot be read
};

/// What only one of the two interfaces has.
struct MesonetEnvelope {
  std::optional<std::string> filename;  ///< of POST /upload: the first key
  std::optional<std::string> source;    ///< of the event: after `timestamp`
};

/// Options of an analysis that samples as the original does and fills in `run`, which must outlive it. A
/// video without frames fails in the original's words.
AnalysisOptions MesonetOptions(std::shared_ptr<MesonetRun> run);

/// The result, or the error object for a video without a face.
nlohmann::ordered_json MesonetResult(const ContractContext& context, const AnalysisRecord& record,
                                     const Report& report, const MesonetRun& run,
                                     const MesonetEnvelope& envelope);

/// What the original says of a failed analysis.
std::string MesonetErrorText(const Error& error);

/// {"detail": ...}: 500 as in the original, also for broken videos (400 with ContractSettings::strict), but
/// 503 where trying again helps and 413 for too many bytes.
http::Response MesonetFault(const ContractContext& context, const Error& error);

/// Seconds since 1970, as time.time().
double UnixTime();

}  // namespace unmask::compat
