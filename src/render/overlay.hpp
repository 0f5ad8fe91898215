// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unmask/picture.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// An annotated picture and what tells it from the others of the same report.
struct Overlay {
  std::string suffix;  ///< ".faces.jpg" for a still, ".track1.jpg" for a track of a video
  Picture picture;
};

/// For a still one picture with every track's face; for a video one for each track, at its best face. Draws
/// the heat map (heat.hpp), the box, the track, the verdict in colour and words, and the score. Needs
/// BestFace::whole (AnalysisOptions::keep_frames); tracks without it are left out. A still without a face
/// gives nothing.
std::vector<Overlay> DrawOverlays(const Report& report);

/// A file name that is safe on every file system, made from an untrusted one: the last part of the path with
/// everything but letters, digits, dot, dash, underscore and UTF-8 letters replaced; never empty, hidden, or
/// longer than 120 bytes.
std::string SafeFileName(std::string_view name);

}  // namespace unmask
