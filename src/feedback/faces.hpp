// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "unmask/error.hpp"
#include "unmask/kept_faces.hpp"

namespace unmask {

/// A kept face as a JPEG file: the bytes that `unmask faces extract` would write for it.
struct FeedbackFace {
  KeptFace facts;  ///< its picture has the size alone, no pixels
  std::string jpeg;
};

/// The faces of one analysis that a client may give us to learn from. A plain value.
struct FeedbackFaces {
  CropRule crop;
  std::string detector;
  std::vector<FeedbackFace> faces;

  std::uint64_t bytes() const;   ///< of memory, an estimate
  std::set<int> tracks() const;  ///< those that have faces here
};

/// Encodes them, most suspicious track first as they come. Fails when a picture is empty.
Result<FeedbackFaces> EncodeFaces(KeptFaces kept);

}  // namespace unmask
