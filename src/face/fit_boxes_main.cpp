// SPDX-License-Identifier: Apache-2.0
// Fits the maps of box_mapping.cpp: from each detector's box to YuNet's, on portraits whose YuNet box is
// known.
//
//   fit_boxes PICTURES CSV DETECTORS [YUNET.onnx]
//
// Fits on the rows of split "train", prints the constants, and prints for split "val" how well the boxes
// agree. Every portrait is seen at several sizes, on a black ground at a place that follows from its number.
// With a YuNet file it also says how well our decoding of that agrees with the CSV.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include "face/blazeface_network.hpp"
#include "face/box_mapping.hpp"
#include "face/detectors.hpp"
#include "face/geometry.hpp"
#include "face/portraits.hpp"

namespace unmask {
namespace {

// The ground's side over the portrait's: faces of about 50, 20 and 10 % of the network's input.
constexpr double kGrounds[] = {1, 2.5, 5};

struct View {
  cv::Mat picture;
  Box truth;
};

View Place(const cv::Mat& portrait, const Box& box, double ground, std::size_t number) {
  const int side = static_cast<int>(std::lround(ground * std::max(portrait.cols, portrait.rows)));
  const int x = static_cast<int>(number * 7919 % static_cast<std::size_t>(side - portrait.cols + 1));
  const int y = static_cast<int>(number * 6101 % static_cast<std::size_t>(side - portrait.rows + 1));
  View view{.picture = cv::Mat::zeros(side, side, CV_8UC3)};
  portrait.copyTo(view.picture(cv::Rect({x, y}, portrait.size())));
  view.truth = {box.x + x, box.y + y, box.width, box.height};
  return view;
}

/// Linear least squares with Huber's loss, by reweighting.
std::vector<double> Fit(const std::vector<std::vector<double>>& rows, const std::vector<double>& targets) {
  constexpr double kHuber = 0.04;
  constexpr double kRidge = 1e-4;
  const int n = static_cast<int>(rows.front().size());
  std::vector<double> solution(rows.front().size(), 0);
  for (int round = 0; round < 20; ++round) {
    cv::Mat normal = cv::Mat::eye(n, n, CV_64F) * kRidge * static_cast<double>(rows.size());
    normal.at<double>(0, 0) *= 1e-3;
    cv::Mat right = cv::Mat::zeros(n, 1, CV_64F);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double predicted = 0;
      for (int j = 0; j < n; ++j)
        predicted += rows[i][static_cast<std::size_t>(j)] * solution[static_cast<std::size_t>(j)];
      const double residual = std::abs(targets[i] - predicted);
      const double weight = round == 0 || residual <= kHuber ? 1 : kHuber / residual;
      const cv::Mat row(n, 1, CV_64F, const_cast<double*>(rows[i].data()));
      normal += weight * row * row.t();
      right += weight * targets[i] * row;
    }
    cv::Mat solved;
    cv::solve(normal, right, solved, cv::DECOMP_CHOLESKY);
    solution.assign(solved.begin<double>(), solved.end<double>());
  }
  return solution;
}

double Quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

/// How boxes agree with the truth.
class Agreement {
 public:
  void Add(const std::optional<Box>& box, const Box& truth) {
    ++total_;
    if (!box) return;
    ious_.push_back(Iou(*box, truth));
    const double unit = std::sqrt(Area(truth));
    dx_.push_back((Centre(*box).x - Centre(truth).x) / unit);
    dy_.push_back((Centre(*box).y - Centre(truth).y) / unit);
    size_.push_back(std::log(std::sqrt(Area(*box)) / unit));
  }
  void Print(const std::string& name) const {
    const auto row = [](const std::vector<double>& v) {
      return fmt::format("{:+.3f} [{:+.3f} {:+.3f}]", Quantile(v, 0.5), Quantile(v, 0.1), Quantile(v, 0.9));
    };
    fmt::print("{:34} found {:4}/{:4}  IoU median {:.3f} p10 {:.3f}  dx {}  dy {}  log size {}\n", name,
               ious_.size(), total_, Quantile(ious_, 0.5), Quantile(ious_, 0.1), row(dx_), row(dy_),
               row(size_));
  }

 private:
  int total_ = 0;
  std::vector<double> ious_, dx_, dy_, size_;
};

void Print(const char* name, const std::vector<double>& values) {
  fmt::print("    .{} = {{{:.4f}}},\n", name, fmt::join(values, ", "));
}

void FitBlazeFace(const std::vector<Portrait>& portraits, const std::filesystem::path& detectors,
                  const BlazeFaceNetwork::Kind& kind) {
  const auto network = BlazeFaceNetwork::Load(detectors, kind, {.threads = 1, .throughput = false});
  if (!network) {
    fmt::print(stderr, "error: {}\n", network.error().message);
    return;
  }
  std::vector<std::vector<double>> odd, even;
  std::vector<double> x, y, log_width, log_height;
  struct Sample {
    SsdFace face;
    Box truth;
  };
  std::vector<std::vector<std::optional<Sample>>> val(std::size(kGrounds));
  for (std::size_t number = 0; number < portraits.size(); ++number) {
    const cv::Mat picture = cv::imread(portraits[number].file.string());
    if (picture.empty()) continue;
    for (std::size_t g = 0; g < std::size(kGrounds); ++g) {
      const View view = Place(picture, portraits[number].box, kGrounds[g], number);
      const auto found = (*network)->Find(view.picture, cv::Rect({0, 0}, view.picture.size()), 0.5);
      if (!found) continue;
      std::optional<Sample> sample;
      for (const SsdFace& face : *found)
        if (Iou(face.box, view.truth) > (sample ? Iou(sample->face.box, view.truth) : 0.3))
          sample = Sample{face, view.truth};
      if (portraits[number].split == "val") val[g].push_back(sample);
      if (portraits[number].split != "train" || !sample) continue;
      const BoxFeatures features = FeaturesOf(sample->face);
      const double unit = Unit(sample->face);
      odd.emplace_back(features.odd.begin(), features.odd.end());
      even.emplace_back(features.even.begin(), features.even.end());
      x.push_back((Centre(view.truth).x - Centre(sample->face.box).x) / unit);
      y.push_back((Centre(view.truth).y - Centre(sample->face.box).y) / unit);
      log_width.push_back(std::log(view.truth.width / unit));
      log_height.push_back(std::log(view.truth.height / unit));
    }
  }
  fmt::print("\n{}: fitted on {} views\n", kind.file, x.size());
  const auto fx = Fit(odd, x), fy = Fit(even, y), fw = Fit(even, log_width), fh = Fit(even, log_height);
  Print("x", fx);
  Print("y", fy);
  Print("log_width", fw);
  Print("log_height", fh);
  BoxMap map;
  std::copy(fx.begin(), fx.end(), map.x.begin());
  std::copy(fy.begin(), fy.end(), map.y.begin());
  std::copy(fw.begin(), fw.end(), map.log_width.begin());
  std::copy(fh.begin(), fh.end(), map.log_height.begin());
  for (std::size_t g = 0; g < std::size(kGrounds); ++g) {
    Agreement raw, fitted, built_in;
    for (const auto& sample : val[g]) {
      const Box truth = sample ? sample->truth : Box{};
      raw.Add(sample ? std::optional(sample->face.box) : std::nullopt, truth);
      fitted.Add(sample ? std::optional(Apply(map, sample->face)) : std::nullopt, truth);
      built_in.Add(sample ? std::optional(Apply(*kind.map, sample->face)) : std::nullopt, truth);
    }
    raw.Print(fmt::format("  val, ground {}, as it is", kGrounds[g]));
    fitted.Print(fmt::format("  val, ground {}, fitted now", kGrounds[g]));
    built_in.Print(fmt::format("  val, ground {}, built in", kGrounds[g]));
  }
}

void FitHaar(const std::vector<Portrait>& portraits, const std::filesystem::path& detectors) {
  cv::CascadeClassifier cascade((detectors / "haarcascade_frontalface_default.xml").string());
  std::vector<std::vector<double>> ones;
  std::vector<double> x, y, log_width, log_height;
  std::vector<std::pair<std::optional<Box>, Box>> val;
  for (const Portrait& portrait : portraits) {
    cv::Mat grey = cv::imread(portrait.file.string(), cv::IMREAD_GRAYSCALE);
    cv::equalizeHist(grey, grey);
    std::vector<cv::Rect> boxes;
    cascade.detectMultiScale(grey, boxes, 1.1, 5, 0, cv::Size(30, 30));
    std::optional<Box> best;
    for (const cv::Rect& r : boxes) {
      const Box box{static_cast<double>(r.x), static_cast<double>(r.y), static_cast<double>(r.width),
                    static_cast<double>(r.height)};
      if (Iou(box, portrait.box) > (best ? Iou(*best, portrait.box) : 0.3)) best = box;
    }
    if (portrait.split == "val") val.emplace_back(best, portrait.box);
    if (portrait.split != "train" || !best) continue;
    ones.push_back({1});
    x.push_back((Centre(portrait.box).x - Centre(*best).x) / best->width);
    y.push_back((Centre(portrait.box).y - Centre(*best).y) / best->width);
    log_width.push_back(std::log(portrait.box.width / best->width));
    log_height.push_back(std::log(portrait.box.height / best->width));
  }
  const double dy = Fit(ones, y)[0], width = std::exp(Fit(ones, log_width)[0]),
               height = std::exp(Fit(ones, log_height)[0]);
  fmt::print("\nHaar: fitted on {}: x offset {:.4f}, y offset {:.4f}, width {:.4f}, height {:.4f}\n",
             x.size(), Fit(ones, x)[0], dy, width, height);
  Agreement raw, built_in;
  for (const auto& [box, truth] : val) {
    raw.Add(box, truth);
    built_in.Add(box ? std::optional(FromHaar(*box)) : std::nullopt, truth);
  }
  raw.Print("  val, as it is");
  built_in.Print("  val, built in");
}

void CheckYuNet(const std::vector<Portrait>& portraits, const std::filesystem::path& file) {
  const auto detector = MakeYuNet({.yunet = file, .threads = 1});
  if (!detector) {
    fmt::print(stderr, "error: {}\n", detector.error().message);
    return;
  }
  Agreement agreement;
  for (const Portrait& portrait : portraits) {
    if (portrait.split != "val") continue;
    std::optional<Box> best;
    for (const Face& face : (*detector)->Detect(cv::imread(portrait.file.string())))
      if (!best || Iou(face.box, portrait.box) > Iou(*best, portrait.box)) best = face.box;
    agreement.Add(best, portrait.box);
  }
  agreement.Print("YuNet, val");
}

}  // namespace
}  // namespace unmask

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: fit_boxes PICTURES CSV DETECTORS [YUNET.onnx]\n");
    return 2;
  }
  const auto portraits = unmask::ReadPortraits(argv[1], argv[2]);
  if (portraits.empty()) {
    fmt::print(stderr, "error: {} names no picture of {}\n", argv[2], argv[1]);
    return 3;
  }
  unmask::FitBlazeFace(portraits, argv[3], unmask::BlazeFaceNetwork::FullRange());
  unmask::FitBlazeFace(portraits, argv[3], unmask::BlazeFaceNetwork::ShortRange());
  unmask::FitHaar(portraits, argv[3]);
  if (argc > 4) unmask::CheckYuNet(portraits, argv[4]);
}
