// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compat/check/check.hpp"
#include "render/json_value.hpp"
#include "render/text.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;

std::string Words(const std::optional<Judgement>& judgement) {
  return judgement ? fmt::format("{} {:.4f}", judgement->label, judgement->score) : "no verdict";
}

ordered_json ToValue(const std::optional<Judgement>& judgement, double seconds) {
  ordered_json value;
  value["label"] = nullptr;
  value["score"] = nullptr;
  if (judgement) value["label"] = judgement->label, value["score"] = judgement->score;
  value["seconds"] = std::round(seconds * 1000) / 1000;
  return value;
}

ordered_json ToValue(const FileCheck& file) {
  ordered_json value;
  value["file"] = file.file.string();
  value["unreachable"] = nullptr;
  if (!file.unreachable.empty()) {
    value["unreachable"] = file.unreachable;
    return value;
  }
  value["same_shape"] = file.same_shape();
  value["same_label"] = nullptr;
  value["score_difference"] = nullptr;
  if (file.theirs && file.ours) {
    value["same_label"] = SameLabel(file.theirs->label, file.ours->label);
    value["score_difference"] = file.ours->score - file.theirs->score;
  }
  value["theirs"] = ToValue(file.theirs, file.their_seconds);
  value["ours"] = ToValue(file.ours, file.our_seconds);
  value["differences"] = ordered_json::array();
  for (const auto& difference : file.differences)
    value["differences"].push_back({{"kind", DifferenceName(difference.kind)},
                                    {"shape", difference.is_shape()},
                                    {"where", difference.where},
                                    {"theirs", difference.theirs},
                                    {"ours", difference.ours}});
  return value;
}

std::string Line(const Difference& difference) {
  const auto side = [](const std::string& text) { return text.empty() ? std::string("absent") : text; };
  return fmt::format("  {} {}{}{}: {}, ours {}\n", difference.is_shape() ? "!" : " ",
                     DifferenceName(difference.kind), difference.where.empty() ? "" : " ", difference.where,
                     side(difference.theirs), side(difference.ours));
}

}  // namespace

std::string CheckText(const CheckOptions& options, const std::vector<FileCheck>& files) {
  std::string text;
  for (const auto& file : files) {
    if (!file.unreachable.empty()) continue;  // an error, told elsewhere
    text += fmt::format("{}: {}, ours {}", file.file.string(), Words(file.theirs), Words(file.ours));
    if (file.theirs && file.ours)
      text += fmt::format(" ({:+.4f}{})", file.ours->score - file.theirs->score,
                          SameLabel(file.theirs->label, file.ours->label) ? "" : ", another label");
    text += fmt::format("; {:.2f} s, ours {:.2f} s\n", file.their_seconds, file.our_seconds);
    for (const auto& difference : file.differences) text += Line(difference);
  }
  const auto summary = Summarise(files);
  const std::size_t reached = summary.files - summary.unreachable;
  text += fmt::format("{} of {} with the same shape", summary.same_shape, reached);
  if (summary.unreachable > 0) text += fmt::format(" ({} not compared)", summary.unreachable);
  if (summary.judged > 0)
    text += fmt::format(
        "; {} of {} with the same label ({:.1f} %); scores differ by {:.4f} on average, {:.4f} at most",
        summary.same_label, summary.judged,
        100.0 * static_cast<double>(summary.same_label) / static_cast<double>(summary.judged),
        summary.mean_difference, summary.largest_difference);
  text += fmt::format("\n{}: {} against {}\n", ContractName(options.contract), options.ours, options.against);
  // What a service answered may hold anything; the line breaks are ours.
  std::string safe;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    safe += EscapeForTerminal(std::string_view(text).substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return safe;
}

std::string CheckJson(const CheckOptions& options, const std::vector<FileCheck>& files) {
  ordered_json value;
  value["contract"] = ContractName(options.contract);
  value["against"] = options.against;
  value["ours"] = options.ours;
  value["files"] = ordered_json::array();
  for (const auto& file : files) value["files"].push_back(ToValue(file));
  const auto summary = Summarise(files);
  ordered_json totals = {{"files", summary.files},           {"unreachable", summary.unreachable},
                         {"same_shape", summary.same_shape}, {"judged", summary.judged},
                         {"same_label", summary.same_label}, {"mean_difference", nullptr},
                         {"largest_difference", nullptr}};
  if (summary.judged > 0) {
    totals["mean_difference"] = summary.mean_difference;
    totals["largest_difference"] = summary.largest_difference;
  }
  value["summary"] = std::move(totals);
  return PrintJson(value, 2) + "\n";
}

}  // namespace unmask::compat
