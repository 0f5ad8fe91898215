// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include <opencv2/core/types.hpp>

#include "base/file.hpp"
#include "face/face.hpp"
#include "media/frame_stream.hpp"
#include "unmask/analyzer.hpp"
#include "unmask/model.hpp"

namespace unmask {

enum class CropFormat { kJpeg, kPng };

/// "jpg" or "png".
std::string_view ExtensionOf(CropFormat format);

/// Which faces are cut out of a file, and how. The defaults cut what a model sees.
struct CutOptions {
  SamplePlan sampling;
  CropRule crop;         ///< the square around a face: a model's rule, or MarginRule()
  int size = 224;        ///< side of the saved square, pixels; larger ones are reduced; 0: as it is
  bool enlarge = false;  ///< also enlarge smaller ones; otherwise they stay as small as they are
  CropFormat format = CropFormat::kJpeg;
  int quality = 95;                  ///< of JPEG, 1..100; the chroma is kept whole
  double min_size = 0;               ///< least shorter side of a face's box, pixels
  std::set<std::string> skip_codes;  ///< faces with one of these FaceQuality::codes are left out
  int max_per_track = 0;             ///< most faces of one track, spread by ChooseSpread(); 0: all
};

/// A square with the face box's centre that reaches beyond a square of the box's size (the geometric mean of
/// its sides, as models measure it) by `margin` times its side on each side. Above -0.5.
CropRule MarginRule(double margin);

/// A face that was cut out. Its picture lies in CutSource::pictures.
struct CutFace {
  int track = 0;
  std::int64_t frame = 0;
  double time = 0;
  Face face;
  FaceQuality quality;
  cv::Rect crop;  ///< in the picture; may reach beyond it, where its edge is repeated
  int side = 0;   ///< of the saved picture, pixels
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// All of one file.
struct CutSource {
  MediaInfo info;
  DecodeSummary summary;
  std::int64_t faces_found = 0;  ///< before any were left out
  std::vector<CutFace> faces;    ///< in order of time
  PrivateFile pictures;          ///< encoded, one after the other

  /// The bytes of a face's JPEG or PNG file.
  Result<std::string> Picture(const CutFace& face) const;
};

/// Cuts faces out of files, in the way of an analysis: the same decoder, frames, detector, tracker, quality
/// and crop, only no network judges. Thread-safe; the pool and the detector must outlive it.
class FaceExtractor {
 public:
  /// Encoded faces wait in nameless files in `scratch` until their file is done, so that memory does not grow
  /// with their number.
  FaceExtractor(DecoderPool& decoders, FaceDetector& detector, CutOptions options,
                std::filesystem::path scratch);

  /// One file, in the calling thread. `file` is open for reading. Fails as FrameStream does, kInternal when
  /// the disk is full. The same file and options give the same faces, byte for byte.
  Result<CutSource> Extract(UniqueFd file, ProgressSink* progress, std::stop_token stop) const;

  const CutOptions& options() const { return options_; }

 private:
  Result<void> Cut(const Frame& frame, const Face& face, int track, CutSource& source) const;
  void Choose(CutSource& source) const;

  DecoderPool& decoders_;
  FaceDetector& detector_;
  const CutOptions options_;
  const std::filesystem::path scratch_;
};

}  // namespace unmask
