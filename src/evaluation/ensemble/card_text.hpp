// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "evaluation/ensemble/make.hpp"

namespace unmask {

/// model.json of an ensemble whose members' cards are `card.members`. `files`: names and hashes of the files
/// beside it. `date`: of today, e.g. "2026-11-26".
std::string EnsembleJson(const ModelCard& card, const EnsembleFigures* figures,
                         const std::map<std::string, std::string>& files, const std::string& date);

/// CARD.md: what it is made of, how it was fitted and how good it is, for people.
std::string EnsembleCard(const ModelCard& card, const EnsembleFigures* figures, const std::string& date);

/// The candidates' figures as a table for the terminal or, with `markdown`, for CARD.md.
std::string CandidatesTable(const EnsembleFigures& figures, bool markdown);

}  // namespace unmask
