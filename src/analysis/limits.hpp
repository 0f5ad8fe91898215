// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "unmask/model.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// The limits that touch a finished report, in sentences: those of the model whose situations all hold, in
/// the card's order, then what follows from the report itself. None without a face. Situations:
///
///   still, video            what the media is
///   manipulated, cleared    the verdict; `cleared`: nothing was found
///   inconclusive
///   not_manipulated         cleared or inconclusive
///   heat_map                a heat map is shown
///   card                    never: of interest to readers of the card alone
///
/// A situation that this version does not know holds: better one sentence too many.
std::vector<std::string> LimitsOf(const Report& report, const ModelCard& card);

}  // namespace unmask
