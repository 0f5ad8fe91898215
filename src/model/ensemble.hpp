// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// "ensemble" of model.json:
///   {"members": [{"model": "face", "version": 1, "sha256": "..."}, {"model": "face", "version": 2, ...}],
///    "combination": {"method": "mean_logit"} | {"method": "weighted", "weights": [0.4, 0.9], "bias": -0.1}}
/// kBadRequest names the key that is missing or wrong, what was expected and what was found.
Result<Ensemble> ReadEnsemble(const nlohmann::json& json);

/// The same back.
nlohmann::ordered_json ToJsonValue(const Ensemble& ensemble);

/// The mean of so many logits.
Combination MeanOf(std::size_t members);

/// The ensemble's logit; as many logits as weights.
double Combine(const Combination& combination, std::span<const double> logits);

/// Fills ModelCard::members of an ensemble's card with what `read` gives for each, after checking that it is
/// there, is no ensemble itself and has the weights that the card names. kInternal says which member it is,
/// what was expected and found, and what to do.
Result<void> ResolveMembers(ModelCard& card,
                            const std::function<Result<ModelCard>(const EnsembleMember&)>& read);

/// "face:1, face:2".
std::string MemberNames(const Ensemble& ensemble);

}  // namespace unmask
