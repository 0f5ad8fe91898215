// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/id.hpp"
#include "feedback/store.hpp"

namespace unmask {

/// For tests: a folder that goes with the test.
class FeedbackFolder {
 public:
  FeedbackFolder() { std::filesystem::create_directory(path_); }
  ~FeedbackFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  FeedbackFolder(const FeedbackFolder&) = delete;
  FeedbackFolder& operator=(const FeedbackFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("unmask-feedback-" + NewTraceId());
};

/// Feedback on a content whose hash is 64 times `digit`.
inline FeedbackRecord RecordOf(const std::string& analysis, char digit, FeedbackLabel label,
                               std::optional<int> track = {}) {
  return {.id = NewId(),
          .time = "2026-11-26T12:00:00.000Z",
          .analysis = analysis,
          .wish = {.label = label, .track = track},
          .name = "clip.mp4",
          .sha256 = std::string(64, digit),
          .kind = MediaKind::kVideo,
          .width = 640,
          .height = 480,
          .duration = 2.5,
          .verdict = Verdict::kManipulated,
          .score = 0.75,
          .model = {.name = "face", .version = 2, .sha256 = "ab"}};
}

/// Faces whose JPEG files are the given words; `tracks` has the track of each.
inline FeedbackFaces FacesOf(const std::vector<std::pair<int, std::string>>& faces) {
  FeedbackFaces result{.crop = {.scale = 0.97, .dy = 0.066}, .detector = "blazeface", .faces = {}};
  for (const auto& [track, jpeg] : faces) {
    KeptFace face{
        .track = track,
        .frame = static_cast<std::int64_t>(result.faces.size()),
        .time = 0.04 * static_cast<double>(result.faces.size()),
        .box = {100.25, 50, 40, 60},
        .detector_score = 0.9,
        .landmarks = std::array<double, 8>{110, 70, 130, 70, 120, 80, 120, 95},
        .quality = {.size = 40, .sharpness = 0.5, .brightness = 0.25, .yaw = 1.2, .codes = {"small"}},
        .crop_x = 90,
        .crop_y = 55,
        .crop_side = 60,
        .picture = {.width = 60, .height = 60, .bgr = {}}};
    result.faces.push_back({std::move(face), jpeg});
  }
  return result;
}

}  // namespace unmask
