// SPDX-License-Identifier: Apache-2.0
#include "feedback/faces.hpp"

#include "extract/extractor.hpp"
#include "render/picture_io.hpp"

namespace unmask {

std::uint64_t FeedbackFaces::bytes() const {
  std::uint64_t bytes = sizeof *this;
  for (const FeedbackFace& face : faces) bytes += sizeof face + face.jpeg.size();
  return bytes;
}

std::set<int> FeedbackFaces::tracks() const {
  std::set<int> tracks;
  for (const FeedbackFace& face : faces) tracks.insert(face.facts.track);
  return tracks;
}

Result<FeedbackFaces> EncodeFaces(KeptFaces kept) {
  FeedbackFaces faces{.crop = kept.crop, .detector = std::move(kept.detector), .faces = {}};
  for (KeptFace& face : kept.faces) {
    auto jpeg = EncodeJpeg(face.picture, CutOptions{}.quality, Chroma::kFull);
    if (!jpeg) return tl::unexpected(jpeg.error());
    face.picture.bgr = {};
    faces.faces.push_back({std::move(face), std::move(*jpeg)});
  }
  return faces;
}

}  // namespace unmask
