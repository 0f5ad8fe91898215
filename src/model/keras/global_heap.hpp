// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace unmask::keras {

/// Throws BadFile when a global heap of an HDF5 file (where texts of any length lie) holds an object whose
/// size would lead libhdf5 1.10 round in a circle for ever, or out of the file: the library adds sizes
/// without looking at their sum. `content` is the whole file. Files whose lengths are not of 8 bytes are
/// refused, too.
void RefuseEndlessHeaps(std::string_view content);

}  // namespace unmask::keras
