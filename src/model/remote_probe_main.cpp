// SPDX-License-Identifier: Apache-2.0
//
// remote-probe LOCAL REMOTE [ROUNDS]: what a network costs that runs elsewhere. Both are model repositories
// with `face`; the card of REMOTE has an "engine". Scores the same crops with both by turns and writes a line
// of JSON for each number of faces: the least and the median milliseconds of each, and the largest difference
// of a logit.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <opencv2/core.hpp>

#include "model/repository.hpp"
#include "model/scorer.hpp"

namespace unmask {
namespace {

std::unique_ptr<Scorer> LoadFace(const char* models) {
  auto card = ModelRepository(models).Find("face");
  auto scorer = card ? Scorer::Load(std::move(*card), {}) : tl::unexpected(card.error());
  if (scorer) return std::move(*scorer);
  std::fprintf(stderr, "%s: %s\n%s\n", models, scorer.error().message.c_str(), scorer.error().hint.c_str());
  return nullptr;
}

struct Timed {
  std::vector<double> milliseconds;
  std::vector<FaceScore> scores;

  bool Run(const Scorer& scorer, const std::vector<PreparedFace>& crops) {
    const auto began = std::chrono::steady_clock::now();
    auto computed = scorer.Start(crops).get();
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
    if (!computed) std::fprintf(stderr, "%s\n", computed.error().message.c_str());
    if (computed) scores = std::move(*computed);
    return computed.has_value();
  }

  double least() const { return *std::min_element(milliseconds.begin(), milliseconds.end()); }
  double median() {
    std::sort(milliseconds.begin(), milliseconds.end());
    return milliseconds[milliseconds.size() / 2];
  }
};

int Run(const char* local_models, const char* remote_models, int rounds) {
  const auto local = LoadFace(local_models);
  const auto remote = LoadFace(remote_models);
  if (!local || !remote) return 1;
  cv::RNG random(7);
  for (const int faces : {1, 4, 16}) {
    std::vector<PreparedFace> crops;
    for (int i = 0; i < faces; ++i) {
      cv::Mat crop(local->card().input.height, local->card().input.width, CV_8UC3);
      random.fill(crop, cv::RNG::UNIFORM, 0, 256);
      crops.push_back(local->Prepare(crop));
    }
    Timed warm;
    if (!warm.Run(*local, crops) || !warm.Run(*remote, crops)) return 1;
    Timed here;
    Timed there;
    for (int i = 0; i < rounds; ++i)
      if (!here.Run(*local, crops) || !there.Run(*remote, crops)) return 1;
    float difference = 0;
    for (std::size_t i = 0; i < here.scores.size(); ++i)
      difference = std::max(difference, std::abs(here.scores[i].logit - there.scores[i].logit));
    std::printf(
        "{\"faces\": %d, \"local_least\": %.3f, \"local_median\": %.3f, \"remote_least\": %.3f, "
        "\"remote_median\": %.3f, \"difference\": %.2g}\n",
        faces, here.least(), here.median(), there.least(), there.median(), static_cast<double>(difference));
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace unmask

int main(int argc, char** argv) {
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 50;
  if (argc < 3 || rounds < 1) {
    std::fprintf(stderr, "usage: remote-probe LOCAL REMOTE [ROUNDS]\n");
    return 2;
  }
  return unmask::Run(argv[1], argv[2], rounds);
}
