// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "unmask/report.hpp"

namespace unmask {

/// The words that all renderers share, in plain English. Nothing here says "real", "fake" or "proof".

/// "Manipulated", "No manipulation found", "Inconclusive".
std::string_view VerdictTitle(Verdict verdict);

/// What the verdict does and does not say, in one or two sentences.
std::string_view VerdictMeaning(Verdict verdict);

/// A few words for a table, e.g. "between the thresholds".
std::string_view ReasonTitle(Reason reason);

/// A sentence that says what it means and what may help.
std::string_view ReasonMeaning(Reason reason);

/// A few words for a code of FaceQuality::codes, e.g. "seen from the side"; an unknown code as it is.
std::string_view QualityTitle(std::string_view code);

/// What the score and the two thresholds of this report mean, in sentences.
std::string ThresholdsMeaning(const Thresholds& thresholds);

/// One sentence that carries the whole answer, e.g. "Face 1 looks manipulated (98.1 %) from 2.0 s to 9.5 s."
std::string Summary(const Report& report);

/// "98.1 %"; "–" when there is no score.
std::string FormatScore(const std::optional<double>& score);

/// All titles and meanings by their stable names: {"verdicts": {...}, "reasons": {...}, "quality": {...}},
/// for the page.
std::string WordsJson();

/// What each member of an ensemble says, e.g. "face:1 91.0 %, face:2 34.2 %"; a member without calibration
/// gives its logit. Empty for a single model.
std::string MembersInWords(const std::vector<MemberScore>& scores, const ModelFacts& model);

}  // namespace unmask
