// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "unmask/error.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// What a person says that the media are. The names are those of the interface (native-api, section 3).
enum class FeedbackLabel { kAuthentic, kManipulated, kUnsure };

/// "real" (kAuthentic), "fake" (kManipulated) or "unsure".
std::string_view FeedbackLabelName(FeedbackLabel label);
std::optional<FeedbackLabel> ParseFeedbackLabel(std::string_view name);

/// Whether a verdict and a person agree; nothing when one of them does not commit itself.
std::optional<bool> Agrees(FeedbackLabel label, Verdict verdict);

/// What a client sends.
struct FeedbackWish {
  static constexpr std::size_t kMaxNote = 2000;  ///< bytes of the note, and of the URL

  FeedbackLabel label = FeedbackLabel::kUnsure;
  std::optional<int> track;  ///< the label is of this person alone; absent: of the media as a whole
  std::string note;
  std::string evidence_url;
  /// True: the faces may be kept and learnt from. False: they may not, and those that were kept before are
  /// removed. Absent: nothing changes.
  std::optional<bool> keep_faces;
};

/// Reads {"label", "track", "note", "evidence_url", "keep_faces"}; all but the label may be absent or null.
/// kBadRequest names the member that is unknown, wrong or too long.
Result<FeedbackWish> ReadFeedbackWish(std::string_view json);

/// One line of feedback.jsonl: the wish, and what it is about.
struct FeedbackRecord {
  std::string id;    ///< of this feedback; sorts by time
  std::string time;  ///< RFC 3339, UTC
  std::string analysis;
  FeedbackWish wish;
  std::string name;    ///< of the media, as the client called it; untrusted
  std::string sha256;  ///< of the media
  MediaKind kind = MediaKind::kImage;
  int width = 0;
  int height = 0;
  std::optional<double> duration;
  Verdict verdict = Verdict::kInconclusive;  ///< of the track, when one is named
  std::optional<double> score;               ///< likewise
  ModelFacts model;                          ///< that judged
  std::size_t faces = 0;                     ///< that are kept since this feedback
};

/// The line, without its end.
std::string ToLine(const FeedbackRecord& record);

/// kBadRequest when the line is damaged or of another schema.
Result<FeedbackRecord> ReadLine(std::string_view line);

}  // namespace unmask
