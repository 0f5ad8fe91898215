// SPDX-License-Identifier: Apache-2.0
#include "render/example_report.hpp"

namespace unmask {

std::shared_ptr<const Picture> PlainPicture(int width, int height, std::uint8_t value) {
  auto picture = std::make_shared<Picture>();
  picture->width = width;
  picture->height = height;
  picture->bgr.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3, value);
  return picture;
}

Report ExampleReport() {
  Report report;
  report.media = {.name = "clip.mp4",
                  .sha256 = "abcd",
                  .bytes = 1234567,
                  .kind = MediaKind::kVideo,
                  .container = "mp4",
                  .codec = "h264",
                  .width = 1280,
                  .height = 720,
                  .duration = 12.4,
                  .fps = 29.97,
                  .frames = 371};
  report.verdict = Verdict::kManipulated;
  report.score = 0.981;
  report.logit = 3.94;
  report.thresholds = {.manipulated = 0.92, .clear = 0.35, .fpr_at_manipulated = 0.01, .fpr_at_clear = 0.1};

  TrackReport track;
  track.id = 1;
  track.verdict = Verdict::kManipulated;
  track.score = 0.981;
  track.logit = 3.94;
  track.end = 12.0;
  track.faces = 25;
  track.segments = {{.start = 2.0, .end = 9.5, .peak_time = 4.5, .peak_score = 0.997}};
  track.best.frame = 135;
  track.best.time = 4.5;
  track.best.box = {412, 96, 210, 210};
  track.best.face = PlainPicture(32, 32);
  track.best.whole = PlainPicture(640, 360);
  track.best.whole_scale = 0.5;
  report.tracks = {track};

  FaceReport face;
  face.track = 1;
  face.box = {410, 95, 208, 208};
  face.score = 0.91;
  face.logit = 2.3;
  face.detector_score = 0.94;
  face.quality = {.size = 208,
                  .sharpness = 0.7,
                  .brightness = 0.5,
                  .yaw = 4.0,
                  .pitch = -2.0,
                  .roll = 3.0,
                  .drawing = 0.01,
                  .codes = {}};
  face.used = true;
  report.faces = {face};

  report.limits = {"It does not find lip-synced clips."};
  report.stability = {.checked = true, .variants = 4, .flips = 0, .spread = 0.04};
  report.sampling = {.mode = SampleMode::kFps,
                     .fps = 2.0,
                     .frames_decoded = 371,
                     .frames_analysed = 25,
                     .faces_found = 25,
                     .decode_errors = 0};
  report.model = {.name = "face",
                  .version = 1,
                  .label = "stable",
                  .sha256 = "ef01",
                  .calibrated = true,
                  .thresholds = {}};
  report.software = {.unmask = "0.1.0", .libavcodec = "59.37.100", .openvino = "2026.4.1"};
  report.timing_ms = {.total = 812.4, .decode = 540, .find = 120, .score = 95};
  return report;
}

Report ExampleStill() {
  Report report = ExampleReport();
  report.media.name = "portrait.jpg";
  report.media.kind = MediaKind::kImage;
  report.media.container = report.media.codec = "jpeg";
  report.media.duration.reset();
  report.media.fps.reset();
  report.media.frames.reset();
  report.verdict = Verdict::kNoManipulationFound;
  report.score = 0.12;
  report.logit = -1.5;
  report.tracks[0].verdict = Verdict::kNoManipulationFound;
  report.tracks[0].score = 0.12;
  report.tracks[0].logit = -1.5;
  report.tracks[0].segments.clear();
  return report;
}

Report ExampleOfAnEnsemble() {
  Report report = ExampleReport();
  report.model.name = "duo";
  report.model.members = {{.name = "face", .version = 1, .sha256 = "aa", .calibrated = true},
                          {.name = "mine", .version = 7, .sha256 = "", .calibrated = false}};
  const std::vector<MemberScore> said = {{.score = 0.91, .logit = 2.3}, {.score = 0.99, .logit = 5.5}};
  report.members = report.tracks[0].members = report.faces[0].members = said;
  return report;
}

}  // namespace unmask
