// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "unmask/report.hpp"

namespace unmask::compat {

/// The original services look at one face of a frame. Which one, of those that unmask finds: the face of the
/// person whose track decides the report's verdict where it is in the frame, else the largest (its box's
/// area; of equal ones the first). Gives one face for each frame that has any scored one, in order of the
/// frames. The pointers hold as long as the report.
std::vector<const FaceReport*> MainFaces(const Report& report);

/// The track that decides the verdict: of the report's own verdict, the one with the highest score. 0: none.
int DecidingTrack(const Report& report);

}  // namespace unmask::compat
