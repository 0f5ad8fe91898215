// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <mutex>

#include "face/blazeface_network.hpp"
#include "face/detector_support.hpp"
#include "face/detectors.hpp"
#include "face/geometry.hpp"
#include "face/tiles.hpp"

namespace unmask {
namespace {

// All measured in docs/faces.md.
constexpr double kSameFaceIou = 0.3;
// A box of fewer input pixels is rough: it is looked at again from nearby, which also tells whether it is a
// face. So even a weak one is worth the second look.
constexpr double kSureDetail = 24;
constexpr double kCandidateScore = 0.4;
constexpr int kQuickSecondLooks = 6;
constexpr int kThoroughSecondLooks = 24;
// Nobody can judge a face of fewer pixels, and many specks look like one.
constexpr double kLeastFace = 24;
// A tile sees parts of large faces, which the look at the whole has seen better.
constexpr double kTileMinScore = 0.6;
// The network for close-ups sees the picture with a margin of half its size on each side, since it does not
// find a face that reaches beyond the edges.
constexpr double kShortRangeMinScore = 0.7;
// A weaker face is one only if the other network sees it, too, in a square twice as large as its box.
constexpr double kSureScore = 0.7;
constexpr double kSecondOpinionScore = 0.6;
constexpr double kSecondOpinionRoom = 2;

cv::Rect Whole(const cv::Mat& picture) { return {0, 0, picture.cols, picture.rows}; }

cv::Rect WithMargin(const cv::Mat& picture) {
  return {-picture.cols / 2, -picture.rows / 2, 2 * picture.cols, 2 * picture.rows};
}

class BlazeFace final : public FaceDetector {
 public:
  BlazeFace(const DetectorOptions& options, std::unique_ptr<BlazeFaceNetwork> full_range)
      : options_(options), full_range_(std::move(full_range)) {}

  std::vector<Face> Detect(const cv::Mat& picture, Effort effort) override {
    return guard_.Run(picture, [&](const cv::Mat& bgr) -> Result<std::vector<Face>> {
      const bool thorough = effort == Effort::kThorough;
      auto found = Candidates(bgr, thorough);
      if (found)
        found = Confirmed(bgr, std::move(*found), thorough ? kThoroughSecondLooks : kQuickSecondLooks);
      if (!found) return tl::unexpected(found.error());
      if (found->empty() && thorough) return CloseUps(bgr);
      return ToFaces(*found, full_range_->map());
    });
  }

  std::optional<Face> DetectNear(const cv::Mat& picture, const Box& expected) override {
    const auto find = [&](const cv::Mat& bgr, const cv::Rect& region) -> Result<std::vector<Face>> {
      const auto found = full_range_->Find(bgr, region, options_.min_score);
      if (!found) return tl::unexpected(found.error());
      return ToFaces(*found, full_range_->map());
    };
    return guard_.RunNear(picture, expected, find);
  }

  std::string name() const override { return "blazeface"; }

 private:
  /// What may be faces: on the whole picture and, for a thorough look, on its tiles. Strongest first.
  Result<std::vector<SsdFace>> Candidates(const cv::Mat& bgr, bool thorough) const {
    const double min_score = std::min(kCandidateScore, options_.min_score);
    auto found = full_range_->Find(bgr, Whole(bgr), min_score);
    if (!found || !thorough) return found;
    for (const cv::Rect& tile : PlanTiles(bgr.size())) {
      const auto more = full_range_->Find(bgr, tile, min_score);
      if (!more) return tl::unexpected(more.error());
      for (const SsdFace& face : *more)
        if (face.detail < kSureDetail || face.score >= kTileMinScore) found->push_back(face);
    }
    return MergePasses(std::move(*found), kSameFaceIou);
  }

  /// The candidates that are faces. Small ones are looked at again from nearby, as far as `second_looks` go;
  /// the others must be strong enough as they are.
  Result<std::vector<SsdFace>> Confirmed(const cv::Mat& bgr, std::vector<SsdFace> candidates,
                                         int second_looks) {
    std::vector<SsdFace> confirmed;
    for (SsdFace& candidate : candidates) {
      if (Unit(candidate) < kLeastFace) continue;
      if (candidate.detail < kSureDetail && second_looks > 0) {
        --second_looks;
        const cv::Rect region = Neighbourhood(candidate.box, bgr.size());
        if (region.empty()) continue;
        const auto near = full_range_->Find(bgr, region, std::min(kCandidateScore, options_.min_score));
        if (!near) return tl::unexpected(near.error());
        const auto best =
            std::max_element(near->begin(), near->end(), [&](const SsdFace& a, const SsdFace& b) {
              return Iou(a.box, candidate.box) < Iou(b.box, candidate.box);
            });
        if (best == near->end() || Iou(best->box, candidate.box) < kSameFaceIou) continue;
        const double score = std::max(best->score, candidate.score);
        candidate = *best;
        candidate.score = score;
      }
      if (candidate.score < options_.min_score) continue;
      if (candidate.score < kSureScore) {
        const auto agreed = SecondOpinion(bgr, candidate.box);
        if (!agreed) return tl::unexpected(agreed.error());
        if (!*agreed) continue;
      }
      confirmed.push_back(candidate);
    }
    return MergePasses(std::move(confirmed), kSameFaceIou);
  }

  /// Whether the network for close-ups sees a face there.
  Result<bool> SecondOpinion(const cv::Mat& bgr, const Box& box) {
    const auto network = ShortRange();
    if (!network) return tl::unexpected(network.error());
    const double side = kSecondOpinionRoom * std::max(box.width, box.height);
    const cv::Rect region(cvRound(box.x + (box.width - side) / 2), cvRound(box.y + (box.height - side) / 2),
                          cvRound(side), cvRound(side));
    const auto found = (*network)->Find(bgr, region, kSecondOpinionScore);
    if (!found) return tl::unexpected(found.error());
    return std::any_of(found->begin(), found->end(),
                       [&](const SsdFace& face) { return Iou(face.box, box) >= kSameFaceIou; });
  }

  Result<std::vector<Face>> CloseUps(const cv::Mat& bgr) {
    const auto network = ShortRange();
    if (!network) return tl::unexpected(network.error());
    const auto found =
        (*network)->Find(bgr, WithMargin(bgr), std::max(kShortRangeMinScore, options_.min_score));
    if (!found) return tl::unexpected(found.error());
    return ToFaces(*found, (*network)->map());
  }

  /// Most media never need this network: it costs nothing until then.
  Result<const BlazeFaceNetwork*> ShortRange() {
    std::call_once(short_range_once_, [this] {
      short_range_ = BlazeFaceNetwork::Load(options_.folder, BlazeFaceNetwork::ShortRange(),
                                            {.threads = 1, .throughput = false, .cache = options_.cache});
    });
    if (!short_range_) return tl::unexpected(short_range_.error());
    return short_range_->get();
  }

  std::vector<Face> ToFaces(const std::vector<SsdFace>& found, const BoxMap& map) const {
    std::vector<Face> faces;
    for (const SsdFace& face : found) faces.push_back(ToFace(face, map));
    return Strongest(std::move(faces), options_.max_faces);
  }

  DetectorOptions options_;
  DetectorGuard guard_{"blazeface"};
  std::unique_ptr<BlazeFaceNetwork> full_range_;
  std::once_flag short_range_once_;
  Result<std::unique_ptr<BlazeFaceNetwork>> short_range_;
};

}  // namespace

Result<std::unique_ptr<FaceDetector>> MakeBlazeFace(const DetectorOptions& options) {
  auto full_range =
      BlazeFaceNetwork::Load(options.folder, BlazeFaceNetwork::FullRange(),
                             {.threads = options.threads, .throughput = true, .cache = options.cache});
  if (!full_range) return tl::unexpected(full_range.error());
  return std::make_unique<BlazeFace>(options, std::move(*full_range));
}

}  // namespace unmask
