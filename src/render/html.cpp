// SPDX-License-Identifier: Apache-2.0
#include "render/html.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/hash.hpp"
#include "base/version.hpp"
#include "render/heat.hpp"
#include "render/html_style.hpp"
#include "render/picture_io.hpp"
#include "render/text.hpp"
#include "render/timeline.hpp"
#include "render/words.hpp"

namespace unmask {
namespace {

std::string Badge(Verdict verdict) {
  return fmt::format("<span class=\"verdict {}\">{}</span>", VerdictName(verdict), VerdictTitle(verdict));
}

std::string Capitalised(std::string_view words) {
  std::string text(words);
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

/// A face's reasons in few words: the file's list above explains them.
std::string ReasonTitles(const std::vector<Reason>& reasons) {
  if (reasons.empty()) return {};
  std::string text;
  for (const Reason reason : reasons)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", ReasonTitle(reason));
  return fmt::format("<p>{}</p>\n", EscapeForHtml(Capitalised(text)));
}

std::string ReasonList(const std::vector<Reason>& reasons) {
  if (reasons.empty()) return {};
  std::string html = "<ul>\n";
  for (const Reason reason : reasons)
    html += fmt::format("<li><strong>{}.</strong> {}</li>\n", EscapeForHtml(Capitalised(ReasonTitle(reason))),
                        EscapeForHtml(ReasonMeaning(reason)));
  return html + "</ul>\n";
}

std::string Image(const Picture& picture, const std::string& words) {
  const auto jpeg = EncodeJpeg(picture, 85);
  if (!jpeg) return {};
  return fmt::format("<img alt=\"{}\" src=\"data:image/jpeg;base64,{}\">\n", words, Base64(*jpeg));
}

std::string FacePicture(const TrackReport& track) {
  if (!track.best.face) return {};
  std::string html = Image(*track.best.face, fmt::format("The most telling view of face {}", track.id));
  if (ShowsHeat(track)) {
    Picture tinted = *track.best.face;
    TintWithHeat(tinted, track.best.face_region, *track.best.heat);
    html +=
        Image(tinted, fmt::format("Where face {} looks changed: bright parts more than dark ones", track.id));
  }
  return html;
}

/// What spoils the track's faces, most frequent first, e.g. "8 of 24 views blurred, 3 seen from the side".
std::string QualityOf(const Report& report, int track) {
  std::vector<std::pair<std::string, int>> counts;
  int faces = 0;
  for (const FaceReport& face : report.faces) {
    if (face.track != track) continue;
    ++faces;
    for (const std::string& code : face.quality.codes) {
      const auto found =
          std::find_if(counts.begin(), counts.end(), [&](const auto& count) { return count.first == code; });
      if (found == counts.end())
        counts.emplace_back(code, 1);
      else
        ++found->second;
    }
  }
  std::stable_sort(counts.begin(), counts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [code, count] : counts)
    text += text.empty() ? fmt::format("{} of {} views {}", count, faces, QualityTitle(code))
                         : fmt::format(", {} {}", count, QualityTitle(code));
  return text;
}

std::string FaceSection(const Report& report, const TrackReport& track) {
  const bool video = report.media.kind == MediaKind::kVideo;
  std::string html = "<div class=\"face\">\n" + FacePicture(track) + "<div>\n";
  html += fmt::format("<h3>Face {}</h3>\n<p>{} <span class=\"num\">{}</span>", track.id, Badge(track.verdict),
                      FormatScore(track.score));
  if (video)
    html += fmt::format(" <span class=\"soft\">{} – {}, {} {}</span>", FormatSeconds(track.start),
                        FormatSeconds(track.end), track.faces, track.faces == 1 ? "view" : "views");
  html += "</p>\n";
  if (!track.segments.empty() && video) {
    html += "<p>Looks manipulated ";
    for (std::size_t i = 0; i < track.segments.size(); ++i)
      html +=
          fmt::format("{}from {} to {} (peak {} at {})", i == 0 ? "" : ", ",
                      FormatSeconds(track.segments[i].start), FormatSeconds(track.segments[i].end),
                      FormatScore(track.segments[i].peak_score), FormatSeconds(track.segments[i].peak_time));
    html += ".</p>\n";
  }
  html += ReasonTitles(track.reasons);
  if (const std::string members = MembersInWords(track.members, report.model); !members.empty())
    html += fmt::format("<p class=\"soft\">Each model alone: {}</p>\n", EscapeForHtml(members));
  if (const std::string quality = QualityOf(report, track.id); !quality.empty())
    html += fmt::format("<p class=\"soft\">{}</p>\n", EscapeForHtml(quality));
  if (video) html += TimelineSvg(report, track);
  return html + "</div>\n</div>\n";
}

std::string HowSampled(const Sampling& sampling) {
  if (sampling.mode == SampleMode::kFps) return fmt::format("{:.4g} a second", sampling.fps);
  return sampling.mode == SampleMode::kKeyframes ? "key frames only" : "picked by number";
}

std::string Row(std::string_view name, std::string_view value, bool hash = false) {
  return value.empty() ? std::string()
                       : fmt::format("<tr><th>{}</th><td{}>{}</td></tr>\n", name,
                                     hash ? " class=\"hash\"" : "", EscapeForHtml(value));
}

std::string Facts(const Report& report) {
  const MediaFacts& media = report.media;
  const Sampling& sampling = report.sampling;
  const bool video = media.kind == MediaKind::kVideo;
  std::string html = "<details open><summary>Evidence</summary>\n<table>\n";
  html += Row("File", media.name);
  html += Row("SHA-256", media.sha256, true);
  html += Row("Size", fmt::format("{} ({} bytes)", FormatBytes(media.bytes), media.bytes));
  html += Row("Format",
              fmt::format("{}, {}, {}×{} pixels", media.container, media.codec, media.width, media.height));
  if (video) {
    if (media.duration) html += Row("Duration", FormatSeconds(*media.duration));
    if (media.fps) html += Row("Frames a second", fmt::format("{:.3f}", *media.fps));
    html += Row("Looked at", fmt::format("{} of {} decoded frames, {}", sampling.frames_analysed,
                                         sampling.frames_decoded, HowSampled(sampling)));
  }
  html += Row("Faces found", fmt::format("{}", sampling.faces_found));
  if (sampling.decode_errors > 0) html += Row("Decoding errors", fmt::format("{}", sampling.decode_errors));
  if (report.stability.checked)
    html += Row("Stability",
                fmt::format("{} of {} mild re-encodings changed the verdict, scores moved by {:.3f}",
                            report.stability.flips, report.stability.variants, report.stability.spread));
  html += Row("Thresholds", fmt::format("manipulated from {:.4g} % on, nothing found below {:.4g} %",
                                        report.thresholds.manipulated * 100, report.thresholds.clear * 100));
  html += Row("Options", fmt::format("mode {}, fps {:.4g}, max_frames {}, stability {}",
                                     SampleModeName(report.options.mode), report.options.fps,
                                     report.options.max_frames, report.options.stability ? "on" : "off"));
  html += Row("Model",
              fmt::format("{}:{}{}{}", report.model.name, report.model.version,
                          report.model.label.empty() ? "" : fmt::format(" ({})", report.model.label),
                          report.model.calibrated ? "" : ", not calibrated: scores are no probabilities"));
  html += Row("Model SHA-256", report.model.sha256, true);
  for (const MemberFacts& member : report.model.members)
    html += Row(
        "Member",
        fmt::format("{}:{}{} {}", member.name, member.version, member.calibrated ? "" : ", not calibrated",
                    member.sha256.empty() ? "(runs elsewhere)" : member.sha256),
        true);
  html += Row("Software", fmt::format("unmask {}, libavcodec {}, OpenVINO {}", report.software.unmask,
                                      report.software.libavcodec, report.software.openvino));
  return html + "</table></details>\n";
}

std::string ReportSection(const Report& report, std::size_t number) {
  std::string html = fmt::format(
      "<section class=\"report\" id=\"file-{}\">\n<h2>{}</h2>\n<p>{} <span class=\"num\">{}</span></p>\n",
      number, EscapeForHtml(report.media.name), Badge(report.verdict), FormatScore(report.score));
  html += fmt::format("<p><strong>{}</strong></p>\n<p>{}</p>\n", EscapeForHtml(Summary(report)),
                      EscapeForHtml(VerdictMeaning(report.verdict)));
  html += ReasonList(report.reasons);
  for (const TrackReport& track : report.tracks) html += FaceSection(report, track);
  return html + Facts(report) + "</section>\n";
}

std::string FailureSection(const Outcome& outcome, std::size_t number) {
  const Error& error = outcome.report.error();
  std::string html = fmt::format(
      "<section class=\"report\" id=\"file-{}\">\n<h2>{}</h2>\n<p><span class=\"verdict failed\">Not "
      "analysed</span> "
      "<span class=\"soft\">{}</span></p>\n<p>{}</p>\n",
      number, EscapeForHtml(outcome.name), CodeName(error.code), EscapeForHtml(error.message));
  if (!error.hint.empty()) html += fmt::format("<p class=\"soft\">{}</p>\n", EscapeForHtml(error.hint));
  return html + "</section>\n";
}

std::string Index(std::span<const Outcome> outcomes) {
  std::string html = "<table>\n<tr><th>File</th><th>Verdict</th><th>Score</th></tr>\n";
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& [name, report] = outcomes[i];
    html += fmt::format(
        "<tr><td><a href=\"#file-{}\">{}</a></td><td class=\"{}\">{}</td><td class=\"num\">{}</td></tr>\n",
        i + 1, EscapeForHtml(name), report ? VerdictName(report->verdict) : "failed",
        report ? VerdictTitle(report->verdict) : "Not analysed", report ? FormatScore(report->score) : "–");
  }
  return html + "</table>\n";
}

/// Once for each set of thresholds: usually one.
std::string HowToRead(std::span<const Outcome> outcomes) {
  std::vector<std::string> meanings;
  for (const auto& [name, report] : outcomes) {
    if (!report) continue;
    std::string meaning = ThresholdsMeaning(report->thresholds);
    if (std::find(meanings.begin(), meanings.end(), meaning) == meanings.end())
      meanings.push_back(std::move(meaning));
  }
  std::string html = "<section>\n<h2>How to read this</h2>\n";
  for (const std::string& meaning : meanings) html += fmt::format("<p>{}</p>\n", EscapeForHtml(meaning));
  html +=
      "<p>In the charts each dot is one look at the face, higher meaning more suspicious; the dashed lines "
      "are the "
      "thresholds, red stretches look manipulated, and the upright line marks the picture that is shown. "
      "Pale dots "
      "did not count, because their quality is too low.</p>\n";
  html +=
      "<p>The tinted picture shows where the model sees traces of a change, the brighter the stronger. It "
      "says "
      "where "
      "to look; it is no outline of what was changed.</p>\n";
  html +=
      "<p>A verdict is the estimate of a program, not proof. Weigh it together with the source and the "
      "context of "
      "the file.</p>\n";
  std::vector<std::string> limits;  // of all reports, each once
  for (const Outcome& outcome : outcomes)
    if (outcome.report)
      for (const std::string& limit : outcome.report->limits)
        if (std::find(limits.begin(), limits.end(), limit) == limits.end()) limits.push_back(limit);
  if (!limits.empty()) {
    html += "<h3>What the model cannot see</h3>\n<ul>\n";
    for (const std::string& limit : limits) html += fmt::format("<li>{}</li>\n", EscapeForHtml(limit));
    html += "</ul>\n";
  }
  return html + "</section>\n";
}

}  // namespace

std::string HtmlPolicy() {
  Sha256 hash;
  hash.Update(kHtmlStyle);
  return fmt::format(
      "default-src 'none'; img-src data:; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
      Base64(BytesOfHex(hash.Finish())));
}

std::string ToHtml(std::span<const Outcome> outcomes) {
  const std::string title = outcomes.size() == 1
                                ? fmt::format("Report on {}", EscapeForHtml(outcomes[0].name))
                                : fmt::format("Report on {} files", outcomes.size());
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<title>{} – "
      "unmask</title>\n<style>{}</style>\n</head>\n<body>\n<header><h1>{}</h1></header>\n<main>\n",
      HtmlPolicy(), title, kHtmlStyle, title);
  if (outcomes.size() != 1) html += Index(outcomes);
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    html +=
        outcomes[i].report ? ReportSection(*outcomes[i].report, i + 1) : FailureSection(outcomes[i], i + 1);
  html += HowToRead(outcomes);
  html += fmt::format("</main>\n<footer>Made with unmask {}.</footer>\n</body>\n</html>\n", Version());
  return html;
}

std::string ToHtml(const Report& report) {
  const Outcome outcome{report.media.name, report};
  return ToHtml({&outcome, 1});
}

}  // namespace unmask
