// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "extract/extractor.hpp"
#include "extract/face_row.hpp"

namespace unmask {

/// For tests: fails the test when `done` did not work.
inline void Must(const Result<void>& done) {
  if (!done) ADD_FAILURE() << done.error().message;
}

/// A face at `frame`, without a picture.
inline CutFace FaceAt(std::int64_t frame, int track = 1) {
  CutFace face;
  face.track = track;
  face.frame = frame;
  face.time = static_cast<double>(frame) / 25;
  face.face.box = {100, 50, 40, 60};
  face.face.score = 0.9;
  face.face.landmarks =
      Landmarks{.right_eye = {110, 70}, .left_eye = {130, 70}, .nose = {120, 80}, .mouth = {120, 95}};
  face.quality = {
      .size = 40, .sharpness = 0.5, .brightness = 0.25, .yaw = 1.24, .pitch = -3, .codes = {"small"}};
  face.crop = {90, 55, 60, 60};
  face.side = 30;
  return face;
}

/// A source whose faces have the given words for pictures.
inline CutSource SourceOf(const std::filesystem::path& scratch, const std::vector<std::string>& pictures) {
  CutSource source{.info = {.width = 640, .height = 480},
                   .summary = {.frames_sampled = 7},
                   .faces_found = static_cast<std::int64_t>(pictures.size()),
                   .faces = {},
                   .pictures = PrivateFile::Create(scratch).value()};
  for (const std::string& picture : pictures) {
    CutFace face = FaceAt(static_cast<std::int64_t>(source.faces.size()));
    face.offset = source.pictures.size();
    face.bytes = picture.size();
    Must(source.pictures.Append(picture));
    source.faces.push_back(face);
  }
  return source;
}

/// `digit` 64 times is the content's hash.
inline SourceFacts FactsOf(char digit, const std::string& label = "real",
                           const std::string& split = "train") {
  return {.name = std::string("videos/") + digit + ".mp4",
          .sha256 = std::string(64, digit),
          .label = label,
          .group = std::string(16, digit),
          .split = split};
}

}  // namespace unmask
