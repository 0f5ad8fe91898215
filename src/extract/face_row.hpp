// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "extract/extractor.hpp"

namespace unmask {

/// What a data set says of a file beside its faces.
struct SourceFacts {
  std::string name;    ///< the path as the user wrote it; untrusted
  std::string sha256;  ///< of its bytes
  std::string label;   ///< "real", "fake" or empty
  std::string group;
  std::string split;
  std::string detector;  ///< that found its faces; empty: the one of the whole set
};

/// The names of the columns of faces.csv; docs/training.md says what each means.
std::string FaceCsvHeader();

/// A face's line. `detector` is FaceDetector::name(); `path` FacePath().
std::string FaceCsvRow(const CutFace& face, const SourceFacts& source, const std::string& detector,
                       const std::string& path);

}  // namespace unmask
