// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unmask/options.hpp"
#include "unmask/picture.hpp"

namespace unmask {

/// The one result type: all that the command line, the web interfaces and the pictures show is a rendering of
/// it. A plain value. Times are seconds from the start of the media, boxes are pixels of the upright picture,
/// scores are calibrated probabilities of manipulation in 0..1, logits are the network's before calibration.

enum class Verdict { kManipulated, kNoManipulationFound, kInconclusive };

/// "manipulated", "no_manipulation_found" or "inconclusive".
std::string_view VerdictName(Verdict verdict);

/// Why a verdict is inconclusive, or a warning beside another one.
enum class Reason {
  kNoFace,             ///< no face was found in any analysed frame
  kFewFaces,           ///< too few usable faces for a verdict
  kFacesTooSmall,      ///< the faces are smaller than the model needs
  kLowQuality,         ///< the faces are blurred, too dark, too bright or patterned
  kUnstable,           ///< the verdict changes under mild re-encoding
  kBetweenThresholds,  ///< the score lies between the two operating points
  kManyFaces,          ///< more faces a frame than are analysed
  kNotAPhoto,          ///< the faces are drawn, painted or rendered
  kDecodeErrors,       ///< parts of the media could not be decoded
  kTruncated,          ///< the media ends early
  kNotCalibrated,      ///< an imported model: nothing is known about what its scores are worth
};

/// The stable name, e.g. "between_thresholds".
std::string_view ReasonName(Reason reason);

enum class MediaKind { kImage, kVideo };

struct MediaFacts {
  std::string name;    ///< as the user called it; never used as a path
  std::string sha256;  ///< of the bytes, lower-case hex
  std::uint64_t bytes = 0;
  MediaKind kind = MediaKind::kImage;
  std::string container;  ///< "mp4", "matroska", "jpeg", "heif", "avif", ...
  std::string codec;      ///< "h264", "jpeg", "hevc", "av1", ...
  int width = 0;          ///< upright, square pixels
  int height = 0;
  std::optional<double> duration;      ///< seconds; absent for stills
  std::optional<double> fps;           ///< average; absent for stills
  std::optional<std::int64_t> frames;  ///< as far as the container tells; absent when it does not
};

struct Thresholds {
  double manipulated = 1;         ///< at or above: manipulated
  double clear = 0;               ///< below: no manipulation found
  double fpr_at_manipulated = 0;  ///< share of the untouched validation faces at or above it; 0: not stated
  double fpr_at_clear = 0;        ///< the same of `clear`
};

struct FaceQuality {
  double size = 0;        ///< shorter side of the face box, pixels
  double sharpness = 0;   ///< 0..1, see face/quality.hpp
  double brightness = 0;  ///< mean luma, 0..1
  double yaw = 0;         ///< degrees, positive when the face looks to the picture's right; an estimate
  double pitch = 0;       ///< degrees, positive when the face looks up; an estimate
  double roll = 0;        ///< degrees clockwise that the head leans, or the picture is turned; an estimate
  double drawing = 0;     ///< 0..1: how much it looks like a drawing or a flat render, see face/drawing.hpp
  std::vector<std::string> codes;  ///< "small", "blurred", "dark", "bright", "patterned", "profile"
};

/// What one member of an ensemble says of a face, or of the faces that made a track's logit.
struct MemberScore {
  double score = 0;  ///< by the member's own calibration; no probability when it has none
  double logit = 0;
};

struct FaceReport {
  int track = 0;
  std::int64_t frame = 0;  ///< index of the frame in the media, from 0
  double time = 0;
  Box box;
  double detector_score = 0;
  FaceQuality quality;
  std::optional<double> score;  ///< absent when the face was not scored
  std::optional<double> logit;
  std::vector<MemberScore> members;  ///< of an ensemble, in the order of ModelFacts::members; else empty
  bool used = false;                 ///< counted for the track's verdict
};

/// What one analysed frame gave.
struct FrameReport {
  std::int64_t index = 0;  ///< of the frame in the media, from 0
  double time = 0;
  int faces = 0;  ///< that were found, up to the most that are analysed
};

struct Segment {
  double start = 0;
  double end = 0;
  double peak_time = 0;
  double peak_score = 0;
};

/// Where the model sees traces of manipulation in a face: an estimate, good for where to look, not for proof.
struct HeatMap {
  int width = 0;
  int height = 0;
  std::vector<float> values;  ///< row by row, 0..1
  Box region;                 ///< of the picture, which the map covers
};

struct BestFace {
  std::int64_t frame = 0;
  double time = 0;
  Box box;
  /// The face with some margin, for people to look at. Absent from the least suspicious tracks of media with
  /// very many.
  std::shared_ptr<const Picture> face;
  Box face_region;                       ///< of the media, which `face` shows
  std::shared_ptr<const HeatMap> heat;   ///< null when the model draws none, and where `face` is absent
  std::shared_ptr<const Picture> whole;  ///< the whole frame, only with AnalysisOptions::keep_frames
  double whole_scale = 1;                ///< size of `whole` over size of the media
};

struct TrackReport {
  int id = 0;  ///< from 1, in order of appearance
  Verdict verdict = Verdict::kInconclusive;
  std::optional<double> score;
  std::optional<double> logit;
  std::vector<MemberScore> members;  ///< of an ensemble: means over the very faces that made `logit`
  std::vector<Reason> reasons;
  double start = 0;
  double end = 0;
  int faces = 0;
  int good_faces = 0;             ///< those that counted
  Thresholds thresholds;          ///< that apply to so many good faces
  std::vector<Segment> segments;  ///< stretches of time that look manipulated
  BestFace best;                  ///< the most telling face
};

/// Whether the verdict outlives mild re-encodings (analysis/stability.hpp): of the most suspicious track.
struct Stability {
  bool checked = false;  ///< false without a verdict that could change, and when it was turned off
  int variants = 0;      ///< re-encodings that were tried
  int flips = 0;         ///< those that give another verdict
  double spread = 0;     ///< between the highest and the lowest score
};

struct Sampling {
  SampleMode mode = SampleMode::kFps;
  double fps = 0;  ///< really used: lower than asked for when max_frames spread over a long clip
  std::int64_t frames_decoded = 0;
  std::int64_t frames_analysed = 0;
  std::int64_t faces_found = 0;
  std::int64_t decode_errors = 0;
};

/// A member of the ensemble that judged.
struct MemberFacts {
  std::string name;
  int version = 0;
  std::string sha256;  ///< of its weights; empty when it runs elsewhere and states none
  bool calibrated = false;
};

struct ModelFacts {
  std::string name;
  int version = 0;
  std::string label;   ///< of the version when the analysis began: "stable", "canary" or ""
  std::string sha256;  ///< of the network's weights; of an ensemble: of its model.json
  bool calibrated = false;
  Thresholds thresholds;             ///< of a single face; those of a report may be a track's
  std::vector<MemberFacts> members;  ///< of an ensemble; else empty
};

struct SoftwareFacts {
  std::string unmask;
  std::string libavcodec;
  std::string openvino;
};

struct Timing {
  double total = 0;      ///< milliseconds, wall clock
  double decode = 0;     ///< waiting for the decoder
  double find = 0;       ///< finding faces
  double score = 0;      ///< waiting for the network
  double stability = 0;  ///< re-encoding and scoring again
};

struct Report {
  MediaFacts media;
  Verdict verdict = Verdict::kInconclusive;
  std::optional<double> score;
  std::optional<double> logit;
  std::vector<MemberScore> members;  ///< of the track that decides
  std::vector<Reason> reasons;
  Thresholds thresholds;  ///< of the track that decides
  std::vector<TrackReport> tracks;
  std::vector<FaceReport> faces;    ///< in order of time; always filled, renderers leave it out unless asked
  std::vector<FrameReport> frames;  ///< every analysed frame, in order of time, with or without faces
  std::string detector;             ///< what found the faces: FaceDetector::name() or an engine's own word
  std::vector<std::string> limits;  ///< sentences: what the model cannot see that may matter here
  Stability stability;
  Sampling sampling;
  ModelFacts model;
  SoftwareFacts software;
  AnalysisOptions options;
  Timing timing_ms;
};

}  // namespace unmask
