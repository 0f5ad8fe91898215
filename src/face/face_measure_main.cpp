// SPDX-License-Identifier: Apache-2.0
// Measures the face room for docs/faces.md.
//
//   face_measure portraits PICTURES CSV DETECTORS [YUNET.onnx]    recall and boxes on split "val"
//   face_measure composites PICTURES CSV DETECTORS [YUNET.onnx]   recall by size in a frame of 1920x1080
//   face_measure frames FOLDER DETECTORS YUNET.onnx               agreement with YuNet on whole frames
//   face_measure closeups FOLDER DETECTORS                        scores where a face (or none) fills a
//   picture face_measure quality FOLDER DETECTORS [SIGMA]                 quantiles of the quality measures,
//   of faces
//                                                                 blurred by SIGMA 96ths of their width
#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "face/blazeface_network.hpp"
#include "face/detectors.hpp"
#include "face/geometry.hpp"
#include "face/portraits.hpp"
#include "face/quality.hpp"
#include "face/tiles.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using Look = std::function<std::vector<Face>(const cv::Mat&)>;

struct NamedLook {
  std::string name;
  Look look;
};

std::unique_ptr<FaceDetector> Must(Result<std::unique_ptr<FaceDetector>> made) {
  if (made) return std::move(*made);
  fmt::print(stderr, "error: {}\n", made.error().message);
  std::exit(3);
}

std::vector<NamedLook> Looks(const fs::path& detectors, const fs::path& yunet) {
  const std::shared_ptr blazeface = Must(MakeBlazeFace({.folder = detectors, .threads = 1}));
  const std::shared_ptr haar = Must(MakeHaar({.folder = detectors}));
  std::vector<NamedLook> looks = {
      {"BlazeFace quick", [=](const cv::Mat& m) { return blazeface->Detect(m, Effort::kQuick); }},
      {"BlazeFace thorough", [=](const cv::Mat& m) { return blazeface->Detect(m, Effort::kThorough); }},
  };
  if (!yunet.empty()) {
    const std::shared_ptr detector = Must(MakeYuNet({.yunet = yunet, .threads = 1}));
    looks.push_back({"YuNet", [=](const cv::Mat& m) { return detector->Detect(m); }});
  }
  looks.push_back({"Haar", [=](const cv::Mat& m) { return haar->Detect(m); }});
  return looks;
}

double Quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

struct Tally {
  int faces = 0;
  std::vector<double> ious;  ///< of the faces that were found
  int extra = 0;             ///< boxes that overlap no face

  void Add(const std::vector<Face>& found, const Box& truth) {
    ++faces;
    double best = 0;
    for (const Face& face : found) {
      best = std::max(best, Iou(face.box, truth));
      if (Iou(face.box, truth) < 0.1) ++extra;
    }
    if (best > 0.4) ious.push_back(best);
  }
};

void Portraits(const std::vector<Portrait>& portraits, const std::vector<NamedLook>& looks) {
  for (const auto& [name, look] : looks) {
    Tally tally;
    for (const Portrait& portrait : portraits)
      if (portrait.split == "val") tally.Add(look(cv::imread(portrait.file.string())), portrait.box);
    fmt::print("{:20} found {}/{}  IoU median {:.3f} p10 {:.3f}  other boxes {}\n", name, tally.ious.size(),
               tally.faces, Quantile(tally.ious, 0.5), Quantile(tally.ious, 0.1), tally.extra);
  }
}

/// Soft patches: nothing in it looks like a face, and it is not flat either.
cv::Mat Ground(cv::Size size, std::uint64_t seed) {
  cv::Mat coarse(size.height / 60, size.width / 60, CV_8UC3);
  cv::Mat fine(size.height / 4, size.width / 4, CV_8UC3);
  cv::RNG random(seed);
  random.fill(coarse, cv::RNG::UNIFORM, 40, 200);
  random.fill(fine, cv::RNG::NORMAL, 128, 12);
  cv::Mat result;
  cv::resize(coarse, result, size, 0, 0, cv::INTER_CUBIC);
  cv::resize(fine, fine, size, 0, 0, cv::INTER_LINEAR);
  cv::addWeighted(result, 1, fine, 1, -128, result);
  return result;
}

void Composites(const std::vector<Portrait>& portraits, const std::vector<NamedLook>& looks) {
  const cv::Size frame(1920, 1080);
  for (const double percent : {2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0}) {
    std::vector<Tally> tallies(looks.size());
    std::uint64_t number = 0;
    for (const Portrait& portrait : portraits) {
      if (portrait.split != "val" || ++number % 2 == 0) continue;
      const cv::Mat picture = cv::imread(portrait.file.string());
      const double scale = percent / 100 * frame.width / portrait.box.height;
      cv::Mat scaled;
      cv::resize(picture, scaled, {}, scale, scale, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
      if (scaled.cols >= frame.width || scaled.rows >= frame.height) continue;
      const cv::Point at(
          static_cast<int>(number * 7919 % static_cast<std::uint64_t>(frame.width - scaled.cols)),
          static_cast<int>(number * 6101 % static_cast<std::uint64_t>(frame.height - scaled.rows)));
      cv::Mat whole = Ground(frame, number);
      scaled.copyTo(whole(cv::Rect(at, scaled.size())));
      const Box truth{at.x + portrait.box.x * scale, at.y + portrait.box.y * scale,
                      portrait.box.width * scale, portrait.box.height * scale};
      for (std::size_t i = 0; i < looks.size(); ++i) tallies[i].Add(looks[i].look(whole), truth);
    }
    fmt::print("{:4} %", percent);
    for (std::size_t i = 0; i < looks.size(); ++i)
      fmt::print("   {} {:.0f} % of {} (IoU {:.2f}, other {})", looks[i].name,
                 100.0 * static_cast<double>(tallies[i].ious.size()) / std::max(1, tallies[i].faces),
                 tallies[i].faces, Quantile(tallies[i].ious, 0.5), tallies[i].extra);
    fmt::print("\n");
  }
}

std::vector<fs::path> PicturesIn(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".png" || entry.path().extension() == ".jpg")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

void Frames(const fs::path& folder, const std::vector<NamedLook>& looks, FaceDetector& reference) {
  for (const auto& [name, look] : looks) {
    int frames = 0, faces = 0, found = 0, boxes = 0, extra = 0;
    for (const fs::path& file : PicturesIn(folder)) {
      const cv::Mat picture = cv::imread(file.string());
      const auto truth = reference.Detect(picture);
      const auto seen = look(picture);
      ++frames;
      boxes += static_cast<int>(seen.size());
      for (const Face& face : truth) {
        if (face.score < 0.6) continue;  // weaker ones excuse a box, but are not asked for
        ++faces;
        if (std::any_of(seen.begin(), seen.end(), [&](const Face& f) { return Iou(f.box, face.box) > 0.4; }))
          ++found;
        else
          fmt::print(stderr, "{}: {} misses {:.0f},{:.0f} {:.0f}x{:.0f} score {:.2f}\n", file.string(), name,
                     face.box.x, face.box.y, face.box.width, face.box.height, face.score);
      }
      for (const Face& face : seen)
        if (std::none_of(truth.begin(), truth.end(),
                         [&](const Face& f) { return Iou(f.box, face.box) > 0.2; })) {
          ++extra;
          fmt::print(stderr, "{}: {} alone sees {:.0f},{:.0f} {:.0f}x{:.0f} score {:.2f}\n", file.string(),
                     name, face.box.x, face.box.y, face.box.width, face.box.height, face.score);
        }
    }
    fmt::print("{:20} {} frames, {} of YuNet's {} faces, {} boxes, {} of them YuNet does not see\n", name,
               frames, found, faces, boxes, extra);
  }
}

void Qualities(const fs::path& folder, FaceDetector& detector, double sigma) {
  std::vector<double> sharpness, brightness, yaw, pitch, size;
  std::map<std::string, int> codes;
  int found = 0, pictures = 0;
  for (const fs::path& file : PicturesIn(folder)) {
    cv::Mat picture = cv::imread(file.string());
    if (picture.empty()) continue;
    ++pictures;
    const auto faces = detector.Detect(picture);
    if (faces.empty()) continue;
    if (sigma > 0) cv::GaussianBlur(picture, picture, {}, sigma * faces[0].box.width / 96);
    ++found;
    const FaceQuality quality = MeasureQuality(picture, faces[0]);
    sharpness.push_back(quality.sharpness);
    brightness.push_back(quality.brightness);
    yaw.push_back(quality.yaw);
    pitch.push_back(quality.pitch);
    size.push_back(quality.size);
    for (const std::string& code : quality.codes) ++codes[code];
  }
  fmt::print("{} pictures, {} with a face\n", pictures, found);
  const auto row = [](const char* name, const std::vector<double>& values) {
    fmt::print("{:11}", name);
    for (const double q : {0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 0.9, 0.95, 0.98, 0.99, 0.995})
      fmt::print("  p{}: {:.3f}", 100 * q, Quantile(values, q));
    fmt::print("\n");
  };
  row("sharpness", sharpness);
  row("brightness", brightness);
  row("yaw", yaw);
  row("pitch", pitch);
  row("size", size);
  for (const auto& [code, count] : codes)
    fmt::print("{}: {:.2f} %\n", code, 100.0 * count / std::max(1, found));
}

/// Which passes find a face that fills its picture, and at what scores.
void CloseUps(const fs::path& folder, const fs::path& detectors) {
  const NetworkOptions options{.threads = 1, .throughput = false};
  const auto full = BlazeFaceNetwork::Load(detectors, BlazeFaceNetwork::FullRange(), options);
  const auto close = BlazeFaceNetwork::Load(detectors, BlazeFaceNetwork::ShortRange(), options);
  if (!full || !close) return;
  for (const auto* network : {full->get(), close->get()})
    for (const double margin : {0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0}) {
      std::vector<double> best;
      for (const fs::path& file : PicturesIn(folder)) {
        const cv::Mat picture = cv::imread(file.string());
        const int dx = static_cast<int>(margin * picture.cols / 2);
        const int dy = static_cast<int>(margin * picture.rows / 2);
        const auto found =
            network->Find(picture, cv::Rect(-dx, -dy, picture.cols + 2 * dx, picture.rows + 2 * dy), 0.1);
        best.push_back(found && !found->empty() ? (*found)[0].score : 0);
      }
      fmt::print("{} range, margin {}:", network == full->get() ? "full " : "short", margin);
      for (const double score : {0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9})
        fmt::print("  >= {}: {}", score,
                   std::count_if(best.begin(), best.end(), [&](double s) { return s >= score; }));
      fmt::print("  of {}\n", best.size());
    }
}

int Main(const std::vector<std::string>& args) {
  const std::string mode = args.empty() ? "" : args[0];
  if ((mode == "portraits" || mode == "composites") && args.size() >= 4) {
    const auto portraits = ReadPortraits(args[1], args[2]);
    auto looks = Looks(args[3], args.size() > 4 ? args[4] : "");
    if (mode == "composites") looks.pop_back();  // Haar would take an hour
    mode == "portraits" ? Portraits(portraits, looks) : Composites(portraits, looks);
    return 0;
  }
  if (mode == "frames" && args.size() == 4) {
    const auto reference = Must(MakeYuNet({.yunet = args[3], .threads = 1, .min_score = 0.3}));
    Frames(args[1], Looks(args[2], args[3]), *reference);
    return 0;
  }
  if (mode == "quality" && args.size() >= 3) {
    const auto detector = Must(MakeBlazeFace({.folder = args[2], .threads = 1}));
    Qualities(args[1], *detector, args.size() > 3 ? std::stod(args[3]) : 0);
    return 0;
  }
  if (mode == "closeups" && args.size() == 3) {
    CloseUps(args[1], args[2]);
    return 0;
  }
  fmt::print(stderr, "usage: see the head of face_measure_main.cpp\n");
  return 2;
}

}  // namespace
}  // namespace unmask

int main(int argc, char** argv) { return unmask::Main({argv + 1, argv + argc}); }
