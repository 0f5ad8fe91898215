// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "unmask/engine.hpp"
#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask {

class ModelRepository;

/// "NAME=URL" or "NAME:VERSION=URL", as the option --engine has it. kBadRequest says what was expected and
/// found; whether there is such a model, CheckEngines() says.
Result<EngineChoice> ParseEngineChoice(std::string_view text);

/// The keys of model.json's "engine" that EngineChoice::url states: type, url, model, perhaps version, and
/// those behind its question mark. kBadRequest as above.
Result<nlohmann::json> ReadEngineUrl(std::string_view url);

/// The choice for a model with a network of its own; null when there is none.
const EngineChoice* ChoiceFor(const ModelCard& card, const std::vector<EngineChoice>& choices);

/// Whether a choice is about the model or, of an ensemble, about a member.
bool IsChosen(const ModelCard& card, const std::vector<EngineChoice>& choices);

/// kNotFound for a choice whose model the repository has not, kBadRequest for one that is an ensemble; each
/// says what there is instead.
Result<void> CheckEngines(const ModelRepository& repository, const std::vector<EngineChoice>& choices);

}  // namespace unmask
