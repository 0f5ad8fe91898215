// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "feedback/faces.hpp"

namespace unmask {

/// The name of a face's JPEG beside its faces.json, e.g. "f000135.jpg".
std::string FaceFileName(const KeptFace& face);

/// faces.json of one person: the crop rule, the detector, and all facts of the faces.
std::string FacesToJson(const FeedbackFaces& faces);

/// The same back, without the JPEG bytes. kInternal when it is damaged.
Result<FeedbackFaces> FacesFromJson(std::string_view json);

}  // namespace unmask
