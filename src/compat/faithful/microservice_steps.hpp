// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compat/faithful/mtcnn/mtcnn.hpp"
#include "compat/faithful/ssd_finder.hpp"
#include "compat/faithful/steps.hpp"

namespace unmask::compat {

/// The microservices, both versions: the first face of MTCNN, which is given blue first as they do, or of the
/// SSD network; 224x224 bilinear, blue first, 0..255. AnalysisOptions::face_finder is "MTCNN" (also when it
/// is empty) or "SSD"; where that one is null the other answers. At least one is not null.
std::unique_ptr<Steps> MakeMicroserviceSteps(std::shared_ptr<Mtcnn> mtcnn, std::shared_ptr<SsdFinder> ssd);

}  // namespace unmask::compat
