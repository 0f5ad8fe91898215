// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace unmask::compat {

/// How a service turns a score into a label.
struct ScoreRule {
  double threshold = 0.5;    ///< of the service's own score
  bool high_is_fake = true;  ///< the score is P(fake); otherwise P(real)
  bool tie_is_fake = false;  ///< the label of a score that equals the threshold
};

inline constexpr ScoreRule kMicroserviceRule{.threshold = 0.5, .high_is_fake = true, .tie_is_fake = false};
inline constexpr ScoreRule kWebUploadRule{.threshold = 0.7, .high_is_fake = false, .tie_is_fake = true};
inline constexpr ScoreRule kMesonetRule{.threshold = 0.5, .high_is_fake = false, .tie_is_fake = true};

/// predict-api, whose threshold is a setting.
constexpr ScoreRule PredictRule(double threshold) {
  return {.threshold = threshold, .high_is_fake = true, .tie_is_fake = true};
}

/// The label of a service's own score.
bool IsFake(float score, const ScoreRule& rule);

/// Our calibrated score as a service's score. Our model says "manipulated" from `manipulated` on, a point
/// that is chosen for few false alarms and lies well above one half; a service's label changes at its own
/// threshold. So the score is shifted in log-odds by the distance of the two: order and evidence stay (a
/// shift of log-odds is another prior), 0 and 1 stay what they are, and the service's label is fake exactly
/// where ours is manipulated. The score itself stays in the additive fields.
float ToServiceScore(double score, double manipulated, const ScoreRule& rule);

/// A faithful engine's score is the model's own: only its direction may change.
float InServiceDirection(double fake_score, const ScoreRule& rule);

}  // namespace unmask::compat
