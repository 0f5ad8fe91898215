// SPDX-License-Identifier: Apache-2.0
#include "render/table.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "render/text.hpp"
#include "render/words.hpp"

namespace unmask {
namespace {

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kReset = "\x1b[0m";

constexpr std::size_t kVerdictColumns = 21;  // "No manipulation found"
constexpr std::size_t kScoreColumns = 7;     // "100.0 %"
constexpr std::size_t kGap = 2;
constexpr std::size_t kDetailsFrom = 88;  // narrower terminals get the details on lines of their own

struct Columns {
  std::size_t name = 0;
  std::size_t details = 0;
  bool details_below = false;
};

Columns Layout(const TableStyle& style) {
  const std::size_t width = static_cast<std::size_t>(std::max(style.width, 40));
  const std::size_t fixed = kVerdictColumns + kScoreColumns + 2 * kGap;
  if (width < kDetailsFrom) return {width - fixed, width - 4, true};
  const std::size_t rest = width - fixed - kGap;
  const std::size_t name = std::min<std::size_t>(rest / 2, 60);
  return {name, rest - name, false};
}

std::string_view ColorOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kManipulated:
      return "\x1b[1;31m";
    case Verdict::kNoManipulationFound:
      return "\x1b[32m";
    case Verdict::kInconclusive:
      return "\x1b[33m";
  }
  return "";
}

std::string Paint(std::string text, std::string_view color, const TableStyle& style) {
  return style.color ? fmt::format("{}{}{}", color, text, kReset) : text;
}

std::string PadRight(std::string text, std::size_t columns) {
  const std::size_t width = DisplayWidth(text);
  if (width < columns) text.append(columns - width, ' ');
  return text;
}

std::string PadLeft(std::string text, std::size_t columns) {
  const std::size_t width = DisplayWidth(text);
  return width < columns ? std::string(columns - width, ' ') + text : text;
}

/// Breaks at spaces; a word that is too long is shortened.
std::vector<std::string> Wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string word = Shorten(text.substr(0, space), columns);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (!line.empty() && DisplayWidth(line) + 1 + DisplayWidth(word) > columns) {
      lines.push_back(std::move(line));
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

/// A no-break space, which Wrap() does not break at.
std::string Together(std::string text) {
  for (std::size_t at = 0; (at = text.find(' ', at)) != std::string::npos;) text.replace(at, 1, "\u00a0");
  return text;
}

std::string Row(std::string name, Verdict verdict, const std::optional<double>& score,
                const std::string& details, const Columns& columns, const TableStyle& style) {
  const std::size_t gap = kGap;
  std::string out =
      PadRight(std::move(name), columns.name) + std::string(gap, ' ') +
      Paint(PadRight(std::string(VerdictTitle(verdict)), kVerdictColumns), ColorOf(verdict), style) +
      std::string(gap, ' ') + PadLeft(FormatScore(score), kScoreColumns);
  const std::size_t margin =
      columns.details_below ? 4 : columns.name + kVerdictColumns + kScoreColumns + 3 * gap;
  bool first = !columns.details_below;
  for (std::string& line : Wrap(details, columns.details)) {
    out += first ? std::string(gap, ' ') : "\n" + std::string(margin, ' ');
    for (std::size_t at = 0; (at = line.find("\u00a0", at)) != std::string::npos;) line.replace(at, 2, " ");
    out += Paint(std::move(line), kDim, style);
    first = false;
  }
  return out + "\n";
}

void AddPart(std::string& text, const std::string& part) {
  if (part.empty()) return;
  if (!text.empty()) text += ", ";
  text += Together(part);
}

std::string FileDetails(const Report& report) {
  std::string text;
  if (report.media.kind == MediaKind::kVideo) {
    if (report.media.duration) AddPart(text, FormatSeconds(*report.media.duration));
    AddPart(text, fmt::format("{} frames analysed", report.sampling.frames_analysed));
  } else {
    AddPart(text, fmt::format("{}×{} {}", report.media.width, report.media.height,
                              EscapeForTerminal(report.media.codec)));
  }
  for (const Reason reason : report.reasons) AddPart(text, std::string(ReasonTitle(reason)));
  return text;
}

std::string TrackDetails(const TrackReport& track, const Report& report) {
  const MediaKind kind = report.media.kind;
  std::string text;
  for (const Reason reason : track.reasons) AddPart(text, std::string(ReasonTitle(reason)));
  AddPart(text, EscapeForTerminal(MembersInWords(track.members, report.model)));
  if (kind == MediaKind::kVideo) {
    for (const Segment& segment : track.segments) {
      AddPart(text, fmt::format("{} – {}", FormatSeconds(segment.start), FormatSeconds(segment.end)));
      text += ' ';
      text += Together(
          fmt::format("(peak {} at {})", FormatScore(segment.peak_score), FormatSeconds(segment.peak_time)));
    }
  }
  return text;
}

std::string TrackName(const TrackReport& track, MediaKind kind) {
  if (kind == MediaKind::kImage) return fmt::format("  face {}", track.id);
  return fmt::format("  face {}: {} – {}, {} {}", track.id, FormatSeconds(track.start),
                     FormatSeconds(track.end), track.faces, track.faces == 1 ? "view" : "views");
}

}  // namespace

std::string TableHeader(const TableStyle& style) {
  const Columns columns = Layout(style);
  std::string line = PadRight("FILE", columns.name) + std::string(kGap, ' ') +
                     PadRight("VERDICT", kVerdictColumns) + std::string(kGap, ' ') +
                     PadLeft("SCORE", kScoreColumns);
  if (!columns.details_below) line += std::string(kGap, ' ') + "DETAILS";
  return Paint(std::move(line), kBold, style) + "\n";
}

std::string ToTable(const Report& report, const TableStyle& style) {
  const Columns columns = Layout(style);
  std::string out = Row(Shorten(EscapeForTerminal(report.media.name), columns.name), report.verdict,
                        report.score, FileDetails(report), columns, style);
  for (const TrackReport& track : report.tracks)
    out += Row(Shorten(TrackName(track, report.media.kind), columns.name), track.verdict, track.score,
               TrackDetails(track, report), columns, style);
  return out;
}

void Totals::Add(const Outcome& outcome) {
  if (!outcome.report) {
    ++failed;
    return;
  }
  switch (outcome.report->verdict) {
    case Verdict::kManipulated:
      ++manipulated;
      break;
    case Verdict::kNoManipulationFound:
      ++no_manipulation_found;
      break;
    case Verdict::kInconclusive:
      ++inconclusive;
      break;
  }
}

std::string TableFooter(const Totals& totals, const TableStyle& style) {
  const int files = totals.manipulated + totals.no_manipulation_found + totals.inconclusive + totals.failed;
  std::string text = fmt::format("{} {}:", files, files == 1 ? "file" : "files");
  const auto add = [&](int count, std::string_view words) {
    if (count > 0) text += fmt::format("{} {} {}", text.back() == ':' ? "" : ",", count, words);
  };
  add(totals.manipulated, "manipulated");
  add(totals.no_manipulation_found, "no manipulation found");
  add(totals.inconclusive, "inconclusive");
  add(totals.failed, "not analysed");
  return Paint(Shorten(text, static_cast<std::size_t>(std::max(style.width, 40))), kBold, style) + "\n";
}

}  // namespace unmask
