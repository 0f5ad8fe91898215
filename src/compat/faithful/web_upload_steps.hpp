// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compat/faithful/steps.hpp"

namespace unmask::compat {

/// web-upload: the whole picture as it is stored, red first, 224x224 by Pillow's bicubic, 0..1. Pictures of
/// a palette and of one bit by Pillow's nearest.
std::unique_ptr<Steps> MakeWebUploadSteps();

}  // namespace unmask::compat
