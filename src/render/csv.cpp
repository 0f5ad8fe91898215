// SPDX-License-Identifier: Apache-2.0
#include "render/csv.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "render/csv_cells.hpp"
#include "render/round.hpp"

namespace unmask {
namespace {

std::string Text(std::string_view text) { return CsvText(text); }

std::string Number(double value) { return CsvNumber(value); }

template <typename T>
std::string Number(const std::optional<T>& value, T (*round)(T)) {
  return value ? Number(round(*value)) : "";
}

std::string Line(const std::vector<std::string>& cells) { return CsvLine(cells); }

}  // namespace

std::string CsvHeader() {
  return Line({"name",
               "verdict",
               "score",
               "logit",
               "reasons",
               "faces",
               "manipulated_faces",
               "first_start",
               "first_end",
               "kind",
               "container",
               "codec",
               "width",
               "height",
               "duration",
               "fps",
               "frames",
               "frames_analysed",
               "threshold_manipulated",
               "threshold_clear",
               "bytes",
               "sha256",
               "model",
               "model_sha256",
               "unmask"});
}

std::string ToCsv(const Report& report) {
  const MediaFacts& media = report.media;
  std::vector<std::string_view> reasons;
  for (const Reason reason : report.reasons) reasons.push_back(ReasonName(reason));
  const auto manipulated = std::count_if(report.tracks.begin(), report.tracks.end(), [](const auto& track) {
    return track.verdict == Verdict::kManipulated;
  });
  const Segment* first = nullptr;
  for (const TrackReport& track : report.tracks)
    for (const Segment& segment : track.segments)
      if (first == nullptr || segment.start < first->start) first = &segment;

  return Line({Text(media.name),
               std::string(VerdictName(report.verdict)),
               Number(report.score, RoundScore),
               Number(report.logit, RoundScore),
               fmt::format("{}", fmt::join(reasons, " ")),
               fmt::format("{}", report.tracks.size()),
               fmt::format("{}", manipulated),
               first != nullptr ? Number(RoundTime(first->start)) : "",
               first != nullptr ? Number(RoundTime(first->end)) : "",
               media.kind == MediaKind::kVideo ? "video" : "image",
               Text(media.container),
               Text(media.codec),
               fmt::format("{}", media.width),
               fmt::format("{}", media.height),
               Number(media.duration, RoundTime),
               Number(media.fps, RoundTime),
               media.frames ? fmt::format("{}", *media.frames) : "",
               fmt::format("{}", report.sampling.frames_analysed),
               Number(RoundScore(report.thresholds.manipulated)),
               Number(RoundScore(report.thresholds.clear)),
               fmt::format("{}", media.bytes),
               Text(media.sha256),
               Text(fmt::format("{}:{}", report.model.name, report.model.version)),
               Text(report.model.sha256),
               Text(report.software.unmask)});
}

}  // namespace unmask
