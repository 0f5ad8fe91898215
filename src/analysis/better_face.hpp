// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "unmask/report.hpp"

namespace unmask {

/// Which of two faces of a track is the one to keep: that with fewer quality codes, then the sharper. Asked
/// in order of time, so that what is no better than the one before does not replace it.
inline bool IsBetter(const FaceQuality& face, const FaceQuality& other) {
  if (face.codes.size() != other.codes.size()) return face.codes.size() < other.codes.size();
  return face.sharpness > other.sharpness;
}

}  // namespace unmask
