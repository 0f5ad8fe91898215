// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/remote/engine_status.hpp"

namespace unmask {

/// The numbers about networks that run elsewhere, as /metrics has them (Prometheus text format 0.0.4); those
/// of one model are added up. Empty without any.
std::string EngineMetricsText(const std::vector<EngineStatus>& engines);

/// The model of an engine that is left alone now, since it keeps failing; empty when there is none.
std::string EngineLeftAlone(const std::vector<EngineStatus>& engines);

/// What /readyz answers when all is well: {"status": "ready"}, with "engines" where some run elsewhere.
std::string ReadinessJson(const std::vector<EngineStatus>& engines);

}  // namespace unmask
