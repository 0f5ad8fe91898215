// SPDX-License-Identifier: Apache-2.0
#include "model/golden.hpp"

#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/hash.hpp"

namespace unmask {
namespace {

using nlohmann::json;

constexpr int kLargestSide = 1024;
constexpr double kLargestTolerance = 1;  // of a logit: more would let anything pass
constexpr double kMadeTolerance = 0.02;  // what training/ allows between PyTorch and OpenVINO

struct Case {
  std::string name;
  cv::Mat picture;
  double logit = 0;
};

cv::Mat ReadPicture(const std::filesystem::path& folder, const json& item, int width, int height) {
  const std::string file = item.at("source");
  if (file.find('/') != std::string::npos || file.front() == '.')
    throw std::runtime_error(fmt::format("the source \"{}\" must be a plain file name", file));
  const auto bytes = ReadSmallFile(folder / file);
  if (!bytes) throw std::runtime_error(fmt::format("{}: {}", file, bytes.error().message));
  const auto expected = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
  if (bytes->size() != expected)
    throw std::runtime_error(
        fmt::format("{} has {} bytes (expected {} x {} x 3)", file, bytes->size(), width, height));
  Sha256 hash;
  hash.Update(*bytes);
  if (item.contains("sha256") && item["sha256"] != hash.Finish())
    throw std::runtime_error(fmt::format("{} has another sha256 than golden.json says", file));
  cv::Mat picture(height, width, CV_8UC3);
  std::memcpy(picture.data, bytes->data(), expected);
  return picture;
}

std::vector<Case> ReadCases(const std::filesystem::path& folder, const json& golden) {
  std::vector<Case> cases;
  for (const json& item : golden.at("cases")) {
    const std::string source = item.at("source");
    if (source != "synthetic" && !source.ends_with(".bgr")) continue;
    const auto rect = item.at("rect").get<std::array<int, 4>>();
    if (rect[2] < 1 || rect[2] > kLargestSide || rect[3] < 1 || rect[3] > kLargestSide)
      throw std::runtime_error(fmt::format("a side of rect is outside 1..{}", kLargestSide));
    cases.push_back({.name = item.at("name"),
                     .picture = source == "synthetic" ? GoldenPicture(rect[2], rect[3])
                                                      : ReadPicture(folder, item, rect[2], rect[3]),
                     .logit = item.at("logit")});
  }
  if (cases.empty()) throw std::runtime_error("it has no case of source \"synthetic\" or a .bgr file");
  return cases;
}

Result<FaceScore> ScoreOf(const Scorer& scorer, const cv::Mat& picture, const std::stop_token& stop = {}) {
  const std::vector<PreparedFace> prepared = {scorer.Prepare(picture)};
  auto scores = scorer.Start(prepared, stop).get();
  if (!scores) return tl::unexpected(scores.error());
  return std::move(scores->front());
}

/// Which logit of a score golden.json is about.
using Choose = std::function<float(const FaceScore&)>;

/// Nothing when the folder has no golden.json.
Result<std::optional<GoldenResult>> CheckFolder(const Scorer& scorer, const std::filesystem::path& folder,
                                                const Choose& choose, const std::stop_token& stop) {
  const auto file = folder / "golden.json";
  const auto text = ReadSmallFile(file);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::nullopt;
  if (!text)
    return Fail(ErrorCode::kInternal, fmt::format("{}: {}", file.string(), text.error().message),
                "restore the file");
  std::vector<Case> cases;
  GoldenResult result;
  try {
    const json golden = json::parse(*text);
    result.tolerance = golden.at("tolerance");
    if (!(result.tolerance > 0 && result.tolerance <= kLargestTolerance))
      throw std::runtime_error(fmt::format("tolerance must be above 0 and at most {}", kLargestTolerance));
    cases = ReadCases(folder, golden);
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, fmt::format("{} cannot be used: {}", file.string(), e.what()),
                "restore the file, or export the model again");
  }
  for (const Case& golden : cases) {
    const auto score = ScoreOf(scorer, golden.picture, stop);
    if (!score) return tl::unexpected(score.error());
    const auto logit = static_cast<double>(choose(*score));
    const double difference = std::abs(logit - golden.logit);
    result.worst = std::max(result.worst, difference);
    if (!(difference <= result.tolerance))
      return Fail(ErrorCode::kInternal,
                  fmt::format("the golden input '{}' gives the logit {:.5f} (expected {:.5f}, tolerance {})",
                              golden.name, logit, golden.logit, result.tolerance),
                  "the network, its card and golden.json do not belong together: export the model again");
    ++result.cases;
  }
  return result;
}

Result<void> CheckMembers(const Scorer& scorer, const std::stop_token& stop) {
  const ModelCard& card = scorer.card();
  for (std::size_t i = 0; card.ensemble && i < scorer.size(); ++i) {
    const ModelCard& member = scorer.member(i);
    const auto checked = CheckFolder(
        scorer, member.folder, [i](const FaceScore& score) { return score.members[i].logit; }, stop);
    if (!checked)
      return Fail(checked.error().code,
                  fmt::format("{}:{}, a member of {}:{}: {}", member.name, member.version, card.name,
                              card.version, checked.error().message),
                  checked.error().hint);
  }
  return {};
}

}  // namespace

cv::Mat GoldenPicture(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      picture.at<cv::Vec3b>(y, x) = {static_cast<uchar>((x * 7 + y * 3) % 256),
                                     static_cast<uchar>((x * 5 + y * 11) % 256),
                                     static_cast<uchar>((x * 13 + y * 2) % 256)};
  return picture;
}

Result<void> WarmUp(const Scorer& scorer, const std::stop_token& stop) {
  const ModelInput& input = scorer.member(0).input;
  const auto score = ScoreOf(scorer, GoldenPicture(input.width, input.height), stop);
  if (!score) return tl::unexpected(score.error());
  return {};
}

Result<GoldenResult> CheckGolden(const Scorer& scorer, const std::stop_token& stop) {
  if (auto members = CheckMembers(scorer, stop); !members) return tl::unexpected(members.error());
  const ModelCard& card = scorer.card();
  const auto checked = CheckFolder(
      scorer, card.folder, [](const FaceScore& score) { return score.logit; }, stop);
  if (!checked) return tl::unexpected(checked.error());
  if (!*checked)
    return Fail(ErrorCode::kInternal,
                fmt::format("{}:{} has no golden.json, inputs with the logits that it must give", card.name,
                            card.version),
                fmt::format("take it from where the model was made, or record what it computes here and now: "
                            "unmask model golden {}:{}",
                            card.name, card.version));
  return **checked;
}

Result<std::string> MakeGolden(const Scorer& scorer) {
  json cases = json::array();
  for (const int side : {scorer.member(0).input.width, 160, 224}) {
    const auto score = ScoreOf(scorer, GoldenPicture(side, side));
    if (!score) return tl::unexpected(score.error());
    cases.push_back({{"name", fmt::format("synthetic {}", side)},
                     {"source", "synthetic"},
                     {"rect", {0, 0, side, side}},
                     {"logit", score->logit}});
  }
  // Each member may differ so much, and weights add that up.
  double tolerance = kMadeTolerance;
  if (const auto& ensemble = scorer.card().ensemble)
    tolerance *= std::max(1.0, std::accumulate(ensemble->combination.weights.begin(),
                                               ensemble->combination.weights.end(), 0.0));
  return json{{"tolerance", std::min(tolerance, kLargestTolerance)}, {"cases", std::move(cases)}}.dump(2) +
         "\n";
}

}  // namespace unmask
