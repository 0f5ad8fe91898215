// SPDX-License-Identifier: Apache-2.0
#include "render/words.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "render/text.hpp"

namespace unmask {
namespace {

struct ReasonWords {
  Reason reason;
  std::string_view title;
  std::string_view meaning;
};

constexpr std::array kReasons = {
    ReasonWords{
        Reason::kNoFace, "no face found",
        "No face was found in the frames that were looked at, so there is nothing to judge. Only faces are "
        "examined: the rest of the picture may still have been altered."},
    ReasonWords{Reason::kFewFaces, "too few usable faces",
                "Too few usable views of the face were found for a verdict. A longer clip or a higher --fps "
                "may help."},
    ReasonWords{Reason::kFacesTooSmall, "faces too small",
                "The faces are smaller than the model needs. A version of the file with a higher resolution "
                "may help; enlarging this one does not."},
    ReasonWords{Reason::kLowQuality, "low quality",
                "The faces are blurred, too dark, too bright, under a regular pattern (a printed picture, a "
                "filmed screen) or seen from the side. A better copy of the file, closer to the original, "
                "may help."},
    ReasonWords{Reason::kUnstable, "unstable under re-encoding",
                "The verdict changes when the same faces are mildly re-encoded, so it says more about the "
                "file's compression than about the faces."},
    ReasonWords{Reason::kBetweenThresholds, "score between the thresholds",
                "The score lies between the two thresholds: too high to find nothing, too low to call it "
                "manipulated at the stated rate of false alarms."},
    ReasonWords{Reason::kManyFaces, "more faces than are analysed",
                "Some frames show more faces than are analysed; the weakest detections were left out."},
    ReasonWords{Reason::kNotAPhoto, "not a photograph",
                "The face looks drawn, painted or rendered. The model knows photographs only."},
    ReasonWords{Reason::kDecodeErrors, "parts could not be decoded",
                "Parts of the file are damaged and could not be decoded; what could be was analysed."},
    ReasonWords{Reason::kTruncated, "the file ends early",
                "The file ends earlier than it says; what is there was analysed."},
    ReasonWords{Reason::kNotCalibrated, "scores without a known meaning",
                "An imported model gave the scores. How often it is right at which score was never measured "
                "here, so no verdict follows from them."},
};

const ReasonWords& WordsOf(Reason reason) {
  const auto* found = std::find_if(kReasons.begin(), kReasons.end(),
                                   [&](const auto& words) { return words.reason == reason; });
  return found == kReasons.end() ? kReasons[3] : *found;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kQuality = {{
    {"small", "small"},
    {"blurred", "blurred"},
    {"dark", "too dark"},
    {"bright", "too bright"},
    {"patterned", "under a regular pattern"},
    {"profile", "seen from the side"},
}};

std::string Percent(double value) { return fmt::format("{:.4g} %", value * 100); }

std::string SegmentsInWords(const std::vector<Segment>& segments) {
  std::string text;
  for (std::size_t i = 0; i < segments.size() && i < 3; ++i)
    text += fmt::format("{}from {} to {}", i == 0 ? " " : ", ", FormatSeconds(segments[i].start),
                        FormatSeconds(segments[i].end));
  if (segments.size() > 3) text += fmt::format(" and {} more times", segments.size() - 3);
  return text;
}

std::string ReasonsInWords(const std::vector<Reason>& reasons) {
  std::string text;
  for (const Reason reason : reasons)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", ReasonTitle(reason));
  return text;
}

}  // namespace

std::string_view VerdictTitle(Verdict verdict) {
  switch (verdict) {
    case Verdict::kManipulated:
      return "Manipulated";
    case Verdict::kNoManipulationFound:
      return "No manipulation found";
    case Verdict::kInconclusive:
      return "Inconclusive";
  }
  return "Inconclusive";
}

std::string_view VerdictMeaning(Verdict verdict) {
  switch (verdict) {
    case Verdict::kManipulated:
      return "At least one face looks manipulated. This is strong evidence, not proof: the model raises "
             "false "
             "alarms at the stated rate.";
    case Verdict::kNoManipulationFound:
      return "The faces show none of the traces that the model knows. That does not make the file authentic: "
             "unknown methods, other parts of the picture, sound and context are not judged.";
    case Verdict::kInconclusive:
      return "The evidence allows no verdict, for the reasons given. It speaks neither for nor against "
             "manipulation.";
  }
  return "";
}

std::string_view ReasonTitle(Reason reason) { return WordsOf(reason).title; }

std::string_view ReasonMeaning(Reason reason) { return WordsOf(reason).meaning; }

std::string_view QualityTitle(std::string_view code) {
  for (const auto& [known, title] : kQuality)
    if (known == code) return title;
  return code;
}

std::string ThresholdsMeaning(const Thresholds& thresholds) {
  std::string text = fmt::format(
      "The score is the estimated probability that a face was manipulated. From {} on the verdict is "
      "“manipulated”; below {} it is “no manipulation found”; in between it is “inconclusive”.",
      Percent(thresholds.manipulated), Percent(thresholds.clear));
  if (thresholds.fpr_at_manipulated > 0)
    text += fmt::format(
        " On the model's validation data the upper threshold calls {} of the untouched faces "
        "manipulated by mistake.",
        Percent(thresholds.fpr_at_manipulated));
  if (thresholds.fpr_at_clear > 0)
    text += fmt::format(" {} of these score above the lower one.", Percent(thresholds.fpr_at_clear));
  return text;
}

std::string Summary(const Report& report) {
  const bool video = report.media.kind == MediaKind::kVideo;
  switch (report.verdict) {
    case Verdict::kManipulated: {
      std::string text;
      for (const TrackReport& track : report.tracks) {
        if (track.verdict != Verdict::kManipulated) continue;
        text += fmt::format("{}ace {} looks manipulated ({}){}", text.empty() ? "F" : "; f", track.id,
                            FormatScore(track.score), video ? SegmentsInWords(track.segments) : "");
      }
      return text.empty() ? "The faces look manipulated." : text + ".";
    }
    case Verdict::kNoManipulationFound: {
      const std::size_t faces = report.tracks.size();
      return fmt::format("No trace of manipulation was found in {} ({} at most).",
                         faces == 1 ? "the face" : fmt::format("the {} faces", faces),
                         FormatScore(report.score));
    }
    case Verdict::kInconclusive:
      return report.reasons.empty()
                 ? "No verdict is possible."
                 : fmt::format("No verdict is possible: {}.", ReasonsInWords(report.reasons));
  }
  return "";
}

std::string FormatScore(const std::optional<double>& score) {
  return score ? fmt::format("{:.1f} %", *score * 100) : "–";
}

std::string WordsJson() {
  nlohmann::ordered_json words;
  for (const Verdict verdict : {Verdict::kManipulated, Verdict::kNoManipulationFound, Verdict::kInconclusive})
    words["verdicts"][std::string(VerdictName(verdict))] = {{"title", VerdictTitle(verdict)},
                                                            {"meaning", VerdictMeaning(verdict)}};
  for (const ReasonWords& reason : kReasons)
    words["reasons"][std::string(ReasonName(reason.reason))] = {{"title", reason.title},
                                                                {"meaning", reason.meaning}};
  for (const auto& [code, title] : kQuality) words["quality"][std::string(code)] = title;
  return words.dump();
}

std::string MembersInWords(const std::vector<MemberScore>& scores, const ModelFacts& model) {
  std::string text;
  if (scores.size() != model.members.size()) return text;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const MemberFacts& member = model.members[i];
    text += fmt::format(
        "{}{}:{} {}", text.empty() ? "" : ", ", member.name, member.version,
        member.calibrated ? FormatScore(scores[i].score) : fmt::format("logit {:.2f}", scores[i].logit));
  }
  return text;
}

}  // namespace unmask
