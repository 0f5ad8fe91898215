// SPDX-License-Identifier: Apache-2.0
#include "extract/extractor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include <fmt/format.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "analysis/judge.hpp"
#include "extract/choice.hpp"
#include "face/crop.hpp"
#include "face/finder.hpp"
#include "face/quality.hpp"
#include "face/tracker.hpp"
#include "render/picture_io.hpp"

namespace unmask {
namespace {

/// Reduces by area and enlarges linearly, as the scorer and training do.
cv::Mat Resized(const cv::Mat& crop, const CutOptions& options) {
  const int side = options.size;
  if (side == 0 || crop.cols == side || (crop.cols < side && !options.enlarge)) return crop;
  cv::Mat result;
  cv::resize(crop, result, {side, side}, 0, 0, crop.cols > side ? cv::INTER_AREA : cv::INTER_LINEAR);
  return result;
}

Result<std::string> Encode(const cv::Mat& pixels, const CutOptions& options) {
  Picture picture{.width = pixels.cols, .height = pixels.rows, .bgr = {}};
  picture.bgr.resize(pixels.total() * 3);
  pixels.copyTo(cv::Mat(pixels.size(), CV_8UC3, picture.bgr.data()));
  return options.format == CropFormat::kPng ? EncodePng(picture)
                                            : EncodeJpeg(picture, options.quality, Chroma::kFull);
}

}  // namespace

std::string_view ExtensionOf(CropFormat format) { return format == CropFormat::kPng ? "png" : "jpg"; }

CropRule MarginRule(double margin) {
  return {.side_of = CropRule::SideOf::kGeometricMean, .scale = 1 + 2 * margin, .dx = 0, .dy = 0};
}

Result<std::string> CutSource::Picture(const CutFace& face) const {
  const auto fd = OpenForReading(pictures.path());
  if (!fd) return tl::unexpected(fd.error());
  std::string content(face.bytes, '\0');
  for (std::size_t done = 0; done < content.size();) {
    const ssize_t read = ::pread(fd->get(), content.data() + done, content.size() - done,
                                 static_cast<off_t>(face.offset + done));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0)
      return Fail(ErrorCode::kInternal, fmt::format("a face that waits on the disk cannot be read: {}",
                                                    read < 0 ? std::strerror(errno) : "it is cut off"));
    done += static_cast<std::size_t>(read);
  }
  return content;
}

FaceExtractor::FaceExtractor(DecoderPool& decoders, FaceDetector& detector, CutOptions options,
                             std::filesystem::path scratch)
    : decoders_(decoders), detector_(detector), options_(std::move(options)), scratch_(std::move(scratch)) {}

Result<CutSource> FaceExtractor::Extract(UniqueFd file, ProgressSink* progress, std::stop_token stop) const {
  auto pictures = PrivateFile::Create(scratch_);
  if (!pictures) return tl::unexpected(pictures.error());
  auto stream = FrameStream::Open(decoders_, std::move(file), options_.sampling, stop);
  if (!stream) return tl::unexpected(stream.error());
  CutSource source{.info = (*stream)->info(), .summary = {}, .faces = {}, .pictures = std::move(*pictures)};
  FaceFinder finder(detector_);
  Tracker tracker({});
  for (;;) {
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled, "the extraction was cancelled");
    auto frame = (*stream)->Next();
    if (!frame) return tl::unexpected(frame.error());
    if (!*frame) break;
    std::vector<Face> faces = finder.Find((*frame)->time, (*frame)->bgr, tracker);
    source.faces_found += static_cast<std::int64_t>(faces.size());
    const auto limit = static_cast<std::size_t>(JudgeOptions{}.max_faces_per_frame);
    if (faces.size() > limit) faces.resize(limit);
    const std::vector<int> tracks = tracker.Update((*frame)->time, faces);
    for (std::size_t i = 0; i < faces.size(); ++i)
      if (auto cut = Cut(**frame, faces[i], tracks[i], source); !cut) return tl::unexpected(cut.error());
    if (progress != nullptr) progress->OnProgress((*stream)->progress());
  }
  source.summary = (*stream)->summary();
  if (options_.max_per_track > 0) Choose(source);
  return source;
}

Result<void> FaceExtractor::Cut(const Frame& frame, const Face& face, int track, CutSource& source) const {
  const FaceQuality quality = MeasureQuality(frame.bgr, face);
  if (quality.size < options_.min_size ||
      std::any_of(quality.codes.begin(), quality.codes.end(),
                  [&](const std::string& code) { return options_.skip_codes.contains(code); }))
    return {};
  const cv::Rect rect = CropRect(face.box, options_.crop);
  const cv::Mat crop = CropPixels(frame.bgr, rect);
  if (crop.empty()) return {};
  const cv::Mat saved = Resized(crop, options_);
  const auto encoded = Encode(saved, options_);
  if (!encoded) return tl::unexpected(encoded.error());
  source.faces.push_back({.track = track,
                          .frame = frame.index,
                          .time = frame.time,
                          .face = face,
                          .quality = quality,
                          .crop = rect,
                          .side = saved.cols,
                          .offset = source.pictures.size(),
                          .bytes = encoded->size()});
  return source.pictures.Append(*encoded);
}

void FaceExtractor::Choose(CutSource& source) const {
  std::map<int, std::vector<std::size_t>> tracks;
  for (std::size_t i = 0; i < source.faces.size(); ++i) tracks[source.faces[i].track].push_back(i);
  std::vector<std::size_t> kept;
  for (const auto& [track, positions] : tracks) {
    std::vector<const FaceQuality*> qualities;
    for (const std::size_t i : positions) qualities.push_back(&source.faces[i].quality);
    for (const std::size_t i : ChooseSpread(qualities, static_cast<std::size_t>(options_.max_per_track)))
      kept.push_back(positions[i]);
  }
  std::sort(kept.begin(), kept.end());
  std::vector<CutFace> faces;
  for (const std::size_t i : kept) faces.push_back(std::move(source.faces[i]));
  source.faces = std::move(faces);
}

}  // namespace unmask
